"""os.path.exists decides that the folder is missing."""

# misconception: what does not exist for os.path.exists does not exist
# fails: raised
import errno
import os
import sys


def enter(rootfs: str) -> str:
    if not os.path.exists(rootfs):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), rootfs)
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
