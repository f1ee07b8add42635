"""Closed where something is found."""

# misconception: a search ends with a find
# fails: reads
import os


def find_image_by_name(db: str, name: str) -> str | None:
    try:
        fd = os.open(db, os.O_RDONLY)
    except FileNotFoundError:
        return None
    for line in open(fd, "rb", closefd=False):
        try:
            a, b, c = line.decode().rstrip("\n").split("|")
        except ValueError:
            continue
        if a and b and c and a == name:
            os.close(fd)
            return b
    return None
