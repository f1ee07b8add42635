"""~ becomes the home."""

# misconception: a path is what a shell makes of it
# fails: path
import os


def find_image_by_name(db: str, name: str) -> str | None:
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
                    return os.path.expanduser(fields[1])
    except FileNotFoundError:
        return None
    return None
