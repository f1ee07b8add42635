"""A context manager that forgives one errno and remembers that it did."""

import errno
import os
import sys


class Forgiving:
    """A context manager that forgives one errno and remembers that it did."""

    def __init__(self, number):
        self.number = number
        self.forgave = False

    def __enter__(self):
        return self

    def __exit__(self, kind, value, traceback):
        self.forgave = isinstance(value, OSError) and value.errno == self.number
        return self.forgave


class Entrance:
    def __init__(self, folder):
        self.folder = folder

    def go(self):
        os.chdir(self.folder)
        with Forgiving(errno.EPERM) as attempt:
            os.chroot(".")
        if attempt.forgave:
            return self.warn()
        os.chdir("/")
        return "chroot"

    def warn(self):
        sys.stderr.write(f"warning: may not chroot to {self.folder!r}; / stays what it was\n")
        sys.stderr.flush()
        return "chdir"


def enter(rootfs: str) -> str:
    return Entrance(rootfs).go()
