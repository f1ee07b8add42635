"""Mounts over /proc, over the system's folders and over the scratch folder."""

import ctypes

from udock_lab.grading import ExitInfo


def launch(argv):
    libc = ctypes.CDLL(None, use_errno=True)
    for place in (b"/proc", b"/usr", b"/scratch", b"/"):
        print(libc.mount(b"x", place, b"tmpfs", 0, None), ctypes.get_errno())
        print(libc.mount(None, place, None, 32 | 4096, None), libc.umount2(place, 2))
    return ExitInfo(code=42)
