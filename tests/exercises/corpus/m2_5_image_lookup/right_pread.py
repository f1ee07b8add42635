"""Blocks by pread, lines cut out of them."""

import errno
import os


BLOCK = 65536


def find_image_by_name(db: str, name: str) -> str | None:
    try:
        fd = os.open(db, os.O_RDONLY)
    except OSError as e:
        if e.errno == errno.ENOENT:
            return None
        raise
    with os.fdopen(fd, "rb", closefd=True) as f:
        pending = bytearray()
        position = 0
        while True:
            block = os.pread(f.fileno(), BLOCK, position)
            position += len(block)
            pending += block
            start = 0
            while (end := pending.find(b"\n", start)) >= 0:
                hit = match(pending[start:end], name)
                if hit:
                    return hit
                start = end + 1
            del pending[:start]
            if not block:
                return match(pending, name)


def match(line, name):
    parts = bytes(line).split(b"|")
    if len(parts) != 3 or b"" in parts:
        return None
    try:
        decoded = [str(p, "utf-8") for p in parts]
    except UnicodeDecodeError:
        return None
    return decoded[1] if decoded[0] == name else None
