"""A descriptor that refuses to follow a link."""
# misconception: a link to a folder is another folder
# fails: hidden:link

import errno
import os
import sys


def enter(rootfs):
    folder = os.open(rootfs, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    os.fchdir(folder)
    os.close(folder)
    try:
        os.chroot(".")
    except OSError as error:
        if error.errno != errno.EPERM:
            raise
        print("chroot refused", file=sys.stderr)
        return "chdir"
    return "chroot"
