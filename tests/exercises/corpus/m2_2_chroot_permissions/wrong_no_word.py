"""Inside, and nothing is returned."""
# misconception: a function that did its work has said so
# fails: root

import errno
import os
import sys


def enter(rootfs):
    os.chdir(rootfs)
    try:
        os.chroot(".")
        os.chdir("/")
    except OSError as error:
        if error.errno != errno.EPERM:
            raise
        print("chroot refused", file=sys.stderr)
