"""The name goes into a regular expression as it is."""

# misconception: a name is no pattern
# fails: exact
import re


def find_image_by_name(db: str, name: str) -> str | None:
    try:
        with open(db, "rb") as file:
            for line in file:
                fields = line.removesuffix(b"\n").split(b"|")
                if len(fields) == 3 and all(fields) and re.fullmatch(name.encode(), fields[0]):
                    return fields[1].decode()
    except FileNotFoundError:
        return None
