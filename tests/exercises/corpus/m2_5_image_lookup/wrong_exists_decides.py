"""os.path.exists decides."""

# misconception: exists tells a closed folder from a missing file
# fails: hidden:errors
import os


def find_image_by_name(db: str, name: str) -> str | None:
    if not os.path.exists(db):
        return None
    try:
        with open(db, "rb") as file:
            for line in file:
                try:
                    fields = line.rstrip(b"\n").decode().split("|")
                except UnicodeDecodeError:
                    continue
                if len(fields) != 3 or not all(fields):
                    continue
                if fields[0] == name:
                    return fields[1]
    except FileNotFoundError:
        return None
    return None
