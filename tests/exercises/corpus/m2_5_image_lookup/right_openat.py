"""The folder as a place to stand, the table from there; an ExitStack closes both."""

import os
from contextlib import ExitStack


def find_image_by_name(db: str, name: str) -> str | None:
    """Opens the folder as a place to stand (O_PATH), and the table from there."""
    if not db:
        return None  # open("") finds no file either
    folder, base = os.path.split(db)
    with ExitStack() as open_things:
        try:
            at = os.open(folder or ".", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
            open_things.callback(os.close, at)
            fd = os.open(base or ".", os.O_RDONLY | os.O_CLOEXEC, dir_fd=at)
        except FileNotFoundError:
            return None
        open_things.callback(os.close, fd)
        # closefd=False: a folder makes open() raise, and then only the stack closes fd
        table = open_things.enter_context(open(fd, "rb", closefd=False))
        while True:
            line = table.readline()
            if line == b"":
                return None
            first = line.find(b"|")
            second = line.find(b"|", first + 1)
            end = len(line) - line.endswith(b"\n")
            if first < 1 or second < first + 2 or second + 1 >= end or line.find(b"|", second + 1) != -1:
                continue
            try:
                if line[:first].decode("utf-8") == name:
                    return line[first + 1 : second].decode("utf-8")
            except UnicodeDecodeError:
                pass
