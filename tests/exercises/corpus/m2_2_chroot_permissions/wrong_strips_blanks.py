"""Takes blanks from the path."""

# misconception: a path neither begins nor ends with a blank
# fails: hidden:link
import errno
import os
import sys


def enter(rootfs: str) -> str:
    rootfs = rootfs.strip()
    try:
        os.chroot(rootfs)
    except OSError as e:
        if e.errno != errno.EPERM:
            raise
        os.chdir(rootfs)
        print("warning: chdir only", file=sys.stderr)
        return "chdir"

    os.chdir("/")
    return "chroot"
