"""EPERM comes out like any other error."""
# misconception: without the right nothing can be done
# fails: eperm

import os


def enter(rootfs):
    os.chdir(rootfs)
    os.chroot(".")
    os.chdir("/")
    return "chroot"
