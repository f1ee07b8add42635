"""The descriptor is closed, except where chroot is refused."""

# misconception: an early return comes past the end of a function
# fails: hidden:closes
import errno
import os
import sys


def enter(rootfs: str) -> str:
    folder = os.open(rootfs, os.O_PATH | os.O_DIRECTORY)
    try:
        os.fchdir(folder)
        os.chroot(".")
    except OSError as error:
        if error.errno != errno.EPERM:
            os.close(folder)
            raise
        os.fchdir(folder)
        print("chroot is not permitted, only chdir was done", file=sys.stderr)
        return "chdir"
    os.chdir("/")
    os.close(folder)
    return "chroot"
