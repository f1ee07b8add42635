"""chroot by the path itself, then chdir("/"); the refusal leads to chdir(rootfs)."""

import errno
import os
import sys


def enter(rootfs):
    try:
        os.chroot(rootfs)
    except OSError as error:
        if error.errno == errno.EPERM:
            print(f"enter: chroot({rootfs!r}): {error.strerror}", file=sys.stderr)
            os.chdir(rootfs)
            return "chdir"
        raise
    else:
        os.chdir("/")
        return "chroot"
