"""A good guest restores the working directory: through a descriptor, which leads out."""
# misconception: a new root makes every old way unreachable
# fails: cwd

import errno
import os
import sys


def enter(rootfs):
    here = os.open(".", os.O_RDONLY)
    os.chdir(rootfs)
    try:
        os.chroot(".")
    except OSError as error:
        if error.errno != errno.EPERM:
            raise
        print("chroot refused", file=sys.stderr)
        return "chdir"
    os.fchdir(here)
    os.close(here)
    return "chroot"
