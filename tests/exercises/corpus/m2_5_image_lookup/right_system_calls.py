"""os.open and os.read in pieces; what is left of a line waits for the next piece."""

import errno
import os


def find_image_by_name(db: str, name: str) -> str | None:
    try:
        fd = os.open(db, os.O_RDONLY)
    except OSError as error:
        if error.errno == errno.ENOENT:
            return None
        raise
    rest, key = b"", os.fsencode(name)
    try:
        while True:
            piece = os.read(fd, 1 << 16)
            *lines, rest = (rest + piece).split(b"\n")
            for line in lines if piece else [*lines, rest]:
                if line.count(b"|") == 2:
                    image, path, when = line.split(b"|")
                    if image == key and path and when and image:
                        return os.fsdecode(path)
            if not piece:
                return None
    finally:
        os.close(fd)
