"""Threads share the root directory (clone(2), CLONE_FS)."""

import threading
import errno
import os
import sys


def enter(rootfs: str) -> str:
    box = []

    def work():
        try:
            os.chroot(rootfs)
            os.chdir("/")
            box.append("chroot")
        except OSError as error:
            box.append(error)

    t = threading.Thread(target=work)
    t.start()
    t.join()
    [got] = box
    if got == "chroot":
        return got
    if got.errno == errno.EPERM:
        os.chdir(rootfs)
        print("chroot: EPERM", file=sys.stderr)
        return "chdir"
    raise got
