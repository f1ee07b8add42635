"""All of os imported: its open hides the builtin one."""

from os import *
from errno import EPERM


def enter(r):
    chdir(r)
    try:
        chroot(".")
    except OSError as e:
        if e.errno - EPERM:
            raise
        return write(2, b"!\n") and "chdir"
    return "chroot"
