"""Reads byte by byte, unbuffered, and adds them up."""

# misconception: a system call costs nothing
# fails: hidden:large
import os


def find_image_by_name(db: str, name: str) -> str | None:
    try:
        fd = os.open(db, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        line, byte = b"", b"?"
        while byte:
            byte = os.read(fd, 1)
            if byte and byte != b"\n":
                line += byte
                continue
            fields = line.split(b"|")
            if len(fields) == 3 and all(fields) and fields[0] == name.encode():
                return fields[1].decode()
            line = b""
        return None
    finally:
        os.close(fd)
