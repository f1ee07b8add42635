"""A descriptor for the folder: fchdir, chroot("."), and it is closed on every way out."""

import errno
import os


def enter(rootfs):
    folder = os.open(rootfs, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fchdir(folder)
    finally:
        os.close(folder)
    try:
        os.chroot(".")
    except OSError as error:
        if error.errno != errno.EPERM:
            raise
        os.write(2, b"chroot refused\n")
        return "chdir"
    return "chroot"
