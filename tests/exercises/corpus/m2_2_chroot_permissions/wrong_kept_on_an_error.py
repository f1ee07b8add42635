"""The descriptor is closed, except where an error is raised."""

# misconception: an error ends everything
# fails: hidden:closes
import errno
import os
import sys


def enter(rootfs: str) -> str:
    fd = os.open(rootfs, os.O_RDONLY | os.O_DIRECTORY)
    os.fchdir(fd)
    try:
        os.chroot(".")
    except OSError as e:
        if e.errno != errno.EPERM:
            raise
        print("warning", file=sys.stderr)
        os.close(fd)
        return "chdir"
    os.close(fd)
    return "chroot"
