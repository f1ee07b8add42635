"""A cached function warns."""

# misconception: the same words need no second call
# fails: warns
import errno
import functools
import os
import sys


@functools.cache
def warn(text):
    print(text, file=sys.stderr)


def enter(rootfs):
    os.chdir(rootfs)
    try:
        os.chroot(".")
    except OSError as error:
        if error.errno != errno.EPERM:
            raise
        warn("chroot refused")
        return "chdir"
    os.chdir("/")
    return "chroot"
