"""The process goes into the folder and calls that a chroot."""
# misconception: chdir is as good as chroot
# fails: root

import os


def enter(rootfs):
    os.chdir(rootfs)
    return "chroot"
