"""datetime.fromisoformat of each record."""

# misconception: a record has a valid time
# fails: finds
from datetime import datetime


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
                    and datetime.fromisoformat(fields[2].decode())
                ):
                    return fields[1].decode()
    except FileNotFoundError:
        pass
    return None
