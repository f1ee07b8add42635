"""The traceback, its lines put into one."""

# misconception: a line is one if it has one end
# fails: warns
import errno
import os
import sys
import traceback


def enter(rootfs):
    os.chdir(rootfs)
    try:
        os.chroot(".")
    except OSError as error:
        if error.errno != errno.EPERM:
            raise
        print(traceback.format_exc().replace("\n", " | "), file=sys.stderr)
        return "chdir"
    os.chdir("/")
    return "chroot"
