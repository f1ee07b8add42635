"""The steps are data; one try around each."""

import errno
import os
import sys


def _steps(folder):
    yield os.chdir, folder
    yield os.chroot, "."
    yield os.chdir, "/"


def enter(rootfs: str) -> str:
    for call, argument in _steps(rootfs):
        try:
            call(argument)
        except OSError as e:
            match (call is os.chroot, e.errno):
                case (True, errno.EPERM):
                    print("chroot refused; working in the folder instead", file=sys.stderr)
                    return "chdir"
                case _:
                    raise
    return "chroot"
