"""os.open without close."""

# misconception: what is not needed closes itself
# fails: reads
import os


def find_image_by_name(db: str, name: str) -> str | None:
    try:
        fd = os.open(db, os.O_RDONLY)
    except FileNotFoundError:
        return None
    data = b""
    while piece := os.read(fd, 1 << 16):
        data += piece
    for line in data.split(b"\n"):
        fields = line.split(b"|")
        if len(fields) == 3 and all(fields) and fields[0] == name.encode():
            return fields[1].decode()
    return None
