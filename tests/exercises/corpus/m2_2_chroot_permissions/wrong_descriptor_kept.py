"""A descriptor of the old world stays open: a way out."""
# misconception: what was opened before chroot is shut by it
# fails: hidden:closes

import errno
import os
import sys


def enter(rootfs):
    os.open("/", os.O_RDONLY)  # perhaps it is needed later
    os.chdir(rootfs)
    try:
        os.chroot(".")
    except OSError as error:
        if error.errno != errno.EPERM:
            raise
        print("chroot refused", file=sys.stderr)
        return "chdir"
    return "chroot"
