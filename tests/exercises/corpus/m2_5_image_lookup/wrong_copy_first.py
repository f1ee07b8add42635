"""The table is copied, and the copy is read."""

# misconception: a copy is safer to read
# fails: reads
import os
import shutil


def find_image_by_name(db: str, name: str) -> str | None:
    try:
        shutil.copyfile(db, db + ".copy")
    except FileNotFoundError:
        return None
    with open(db + ".copy", "rb") as file:
        lines = file.read().split(b"\n")
    os.unlink(db + ".copy")
    for line in lines:
        fields = line.split(b"|")
        if len(fields) == 3 and all(fields) and fields[0] == name.encode():
            return fields[1].decode()
    return None
