"""A folder that stands above the function, in place of its parameter."""

# misconception: the parameter is the folder of the example
# fails: root
import errno
import os
import sys

folder = "/srv/images/demo"


def enter(rootfs):
    os.chdir(folder)
    try:
        os.chroot(".")
    except OSError as error:
        if error.errno != errno.EPERM:
            raise
        print("chroot refused", file=sys.stderr)
        return "chdir"
    return "chroot"
