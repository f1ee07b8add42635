"""Raises the errors of a path, forgives all others."""

# misconception: what is no mistake of the path is a missing right
# fails: only
import errno
import os
import sys


def enter(rootfs: str) -> str:
    try:
        os.chroot(rootfs)
    except OSError as e:
        if e.errno in (errno.ENOENT, errno.ENOTDIR, errno.EACCES):
            raise
        os.chdir(rootfs)
        print("warning", file=sys.stderr)
        return "chdir"

    os.chdir("/")
    return "chroot"
