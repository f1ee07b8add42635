"""Opens the folder, and the table from there (openat(2))."""

import os


def find_image_by_name(db: str, name: str) -> str | None:
    folder, base = os.path.split(os.path.abspath(db))
    try:
        dir_fd = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    except FileNotFoundError:
        return None
    try:
        with open(base, "rb", opener=lambda p, flags: os.open(p, flags, dir_fd=dir_fd)) as f:
            for line in f:
                try:
                    a, b, c = line.decode().rstrip("\n").split("|")
                except ValueError:
                    continue
                if a == name and a and b and c:
                    return b
    except FileNotFoundError:
        return None
    finally:
        os.close(dir_fd)
    return None
