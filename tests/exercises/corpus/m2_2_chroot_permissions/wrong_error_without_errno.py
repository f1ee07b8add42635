"""The error gets a friendlier text, and loses its number."""

# misconception: an OSError has an errno whatever it is made of
# fails: raised
import errno
import os
import sys


def enter(rootfs: str) -> str:
    try:
        os.chdir(rootfs)
        try:
            os.chroot(".")
        except OSError as error:
            if error.errno != errno.EPERM:
                raise
            print("chroot is not permitted, only chdir was done", file=sys.stderr)
            return "chdir"
        os.chdir("/")
        return "chroot"
    except OSError as error:
        raise OSError(f"cannot enter {rootfs}: {error.strerror}") from error
