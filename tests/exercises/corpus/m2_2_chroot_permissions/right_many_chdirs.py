"""More calls than needed, none of them harmful."""

import os
import sys


def enter(rootfs):
    word = "chroot"
    os.chdir(rootfs)
    os.chdir(".")
    inside = os.getcwd()
    try:
        os.chroot(inside)
        os.chdir("/")
    except OSError as error:
        if (error.errno, type(error)) != (1, PermissionError):
            raise error
        word = "chdir"
        sys.stderr.write("warning\n")
        sys.stderr.flush()
    os.chdir(".")
    return word
