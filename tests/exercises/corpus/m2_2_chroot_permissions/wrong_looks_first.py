"""The folder is looked at first; what is no folder is left alone, with the word for a refusal."""
# misconception: a look before the call is as good as the call's own answer
# fails: raised

import errno
import os
import sys


def enter(rootfs):
    if not os.path.isdir(rootfs):
        print("no such folder", file=sys.stderr)
        return "chdir"
    os.chdir(rootfs)
    try:
        os.chroot(".")
    except OSError as error:
        if error.errno != errno.EPERM:
            raise
        print("chroot refused", file=sys.stderr)
        return "chdir"
    return "chroot"
