"""Every PermissionError is forgiven; EACCES is one too."""
# misconception: PermissionError is EPERM
# fails: only

import os
import sys


def enter(rootfs):
    os.chdir(rootfs)
    try:
        os.chroot(".")
    except PermissionError:
        print("chroot refused", file=sys.stderr)
        return "chdir"
    os.chdir("/")
    return "chroot"
