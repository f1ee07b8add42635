"""Notes the time of the last search."""

# misconception: the time of a file is nobody's
# fails: reads
import os


def find_image_by_name(db: str, name: str) -> str | None:
    try:
        with open(db, "rb") as file:
            os.utime(db)
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
