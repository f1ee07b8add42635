"""The working directory is asked for when the cell runs."""

# misconception: the working directory is always the same
# fails: relative
import errno
import os
import sys

HERE = os.getcwd()


def enter(rootfs: str) -> str:
    folder = os.path.join(HERE, rootfs)
    try:
        os.chroot(folder)
    except OSError as error:
        if error.errno != errno.EPERM:
            raise
        os.chdir(folder)
        print("chroot refused, working in", folder, file=sys.stderr)
        return "chdir"
    os.chdir("/")
    return "chroot"
