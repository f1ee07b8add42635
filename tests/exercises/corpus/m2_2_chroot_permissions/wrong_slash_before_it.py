"""A path that does not begin with / gets one."""
# misconception: a relative path starts at the root
# fails: relative

import errno
import os
import sys


def enter(rootfs):
    os.chdir("/" + rootfs.lstrip("/"))
    try:
        os.chroot(".")
    except OSError as error:
        if error.errno != errno.EPERM:
            raise
        print("chroot refused", file=sys.stderr)
        return "chdir"
    return "chroot"
