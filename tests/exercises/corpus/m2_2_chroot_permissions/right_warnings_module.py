"""Python's own warning, with the line of source below it."""

import errno
import os
import warnings


def enter(rootfs):
    os.chdir(rootfs)
    try:
        os.chroot(".")
    except OSError as error:
        if error.errno != errno.EPERM:
            raise
        warnings.warn(f"{rootfs}: chroot was refused, only the working directory is changed")
        return "chdir"
    return "chroot"
