"""A bad path ends the program."""

# misconception: an error is the end
# fails: raised
import errno
import os
import sys


def enter(rootfs: str) -> str:
    try:
        os.chdir(rootfs)
    except OSError:
        sys.exit(1)
    try:
        os.chroot(".")
    except OSError as e:
        if e.errno != errno.EPERM:
            raise
        print("no permission for chroot", file=sys.stderr)
        return "chdir"
    os.chdir("/")
    return "chroot"
