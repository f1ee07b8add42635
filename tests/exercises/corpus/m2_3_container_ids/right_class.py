"""A lock class that opens its file each time it is entered."""

import contextlib
import fcntl
import os


class Lock:
    def __init__(self, path):
        self.path = path

    def __enter__(self):
        self.file = open(self.path, "a+b")
        try:
            fcntl.flock(self.file, fcntl.LOCK_EX)
        except BaseException:
            self.file.close()
            raise

    def __exit__(self, *_):
        self.file.close()


def ids(db):
    with contextlib.suppress(FileNotFoundError), open(db, "rb") as file:
        for line in file:
            first, bar, _ = line.decode("latin-1").partition("|")
            word = first.strip()
            if bar and word.startswith("c") and word[1:].isascii() and word[1:].isdigit():
                yield int(word[1:])


def next_id(db):
    top = 0
    for number in ids(db):
        if number > top:
            top = number
    return "c%d" % (top + 1)


def allocate(db):
    with Lock(db + ".lock"):
        made = next_id(db)
        with open(db, "a+b") as table:
            table.seek(0)
            text = table.read()
            if text and not text.endswith(b"\n"):
                table.write(b"\n")
            table.write(b"%s|%d\n" % (made.encode(), os.getpid()))
    return made
