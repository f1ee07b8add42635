"""Only records with a timestamp in ISO 8601 count."""

# misconception: a record has a valid time
# fails: finds
import re


def find_image_by_name(db: str, name: str) -> str | None:
    wanted = name.encode()
    try:
        with open(db, "rb") as file:
            for line in file:
                fields = line.removesuffix(b"\n").split(b"|")
                if (
                    len(fields) == 3
                    and all(fields)
                    and fields[0] == wanted
                    and re.match(rb"\d{4}-\d\d-\d\dT", fields[2])
                ):
                    return fields[1].decode()
    except FileNotFoundError:
        pass
    return None
