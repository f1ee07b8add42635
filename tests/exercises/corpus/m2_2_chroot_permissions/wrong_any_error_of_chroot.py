"""What chroot answers is a refusal, whatever its number."""
# misconception: after a good chdir, chroot can fail with EPERM only
# fails: only

import os
import sys


def enter(rootfs):
    os.chdir(rootfs)
    try:
        os.chroot(".")
    except OSError:
        print("chroot refused", file=sys.stderr)
        return "chdir"
    os.chdir("/")
    return "chroot"
