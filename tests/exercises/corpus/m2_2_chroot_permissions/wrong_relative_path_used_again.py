"""Where chroot is refused, chdir comes a second time, by the same relative path."""

# misconception: going into a folder twice does no harm
# fails: relative
import errno
import os
import sys


def enter(rootfs):
    os.chdir(rootfs)
    try:
        os.chroot(".")
    except OSError as error:
        if error.errno != errno.EPERM:
            raise
        print("chroot refused", file=sys.stderr)
        os.chdir(rootfs)
        return "chdir"
    os.chdir("/")
    return "chroot"
