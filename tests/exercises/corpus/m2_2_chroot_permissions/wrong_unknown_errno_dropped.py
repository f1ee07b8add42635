"""An error that no branch names is passed over."""

# misconception: the errors that one knows are all that there are
# fails: only
import errno
import os
import sys


def enter(rootfs):
    os.chdir(rootfs)
    try:
        os.chroot(".")
    except OSError as error:
        match error.errno:
            case errno.EPERM:
                print("chroot refused", file=sys.stderr)
                return "chdir"
            case errno.EACCES | errno.ENOENT | errno.ENOTDIR | errno.EIO:
                raise
    else:
        return "chroot"
