"""contextlib.chdir goes back at its end."""

# misconception: the working directory may be outside again
# fails: root
import errno
import os
import sys
import contextlib


def enter(rootfs: str) -> str:
    with contextlib.chdir(rootfs):
        try:
            os.chroot(".")
        except OSError as error:
            if error.errno != errno.EPERM:
                raise
            print("chroot is not permitted, only chdir was done", file=sys.stderr)
            return "chdir"
        return "chroot"
