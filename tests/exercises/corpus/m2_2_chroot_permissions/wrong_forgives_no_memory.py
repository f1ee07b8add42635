"""ENOMEM is forgiven as well."""

# misconception: out of memory is as good as no right
# fails: only
import errno
import os
import sys


def enter(rootfs: str) -> str:
    try:
        os.chroot(rootfs)
    except OSError as e:
        if e.errno not in (errno.EPERM, errno.ENOMEM):
            raise
        os.chdir(rootfs)
        print("warning: chdir only", file=sys.stderr)
        return "chdir"

    os.chdir("/")
    return "chroot"
