"""A stream of its own on descriptor 2, never emptied."""

# misconception: what was printed has been written
# fails: warns
import errno
import os
import sys

log = open(2, "w", closefd=False)


def enter(rootfs: str) -> str:
    os.chdir(rootfs)
    try:
        os.chroot(".")
    except OSError as error:
        if error.errno != errno.EPERM:
            raise
        print("chroot is not permitted, only chdir was done", file=log)
        return "chdir"
    os.chdir("/")
    return "chroot"
