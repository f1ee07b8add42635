"""The word is printed."""

# misconception: print and return are the same
# fails: root
import errno
import os
import sys


def enter(rootfs: str) -> str:
    os.chdir(rootfs)
    try:
        os.chroot(".")
    except OSError as e:
        if e.errno != errno.EPERM:
            raise
        print("warning: no chroot", file=sys.stderr)
        print("chdir")
    else:
        os.chdir("/")
        print("chroot")
