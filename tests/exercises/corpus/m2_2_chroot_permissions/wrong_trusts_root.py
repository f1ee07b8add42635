"""Root is asked for, and what root tries cannot fail."""
# misconception: root may do everything
# fails: asks

import os
import sys


def enter(rootfs):
    os.chdir(rootfs)
    if os.getuid() != 0:
        print("chroot needs root", file=sys.stderr)
        return "chdir"
    os.chroot(".")
    return "chroot"
