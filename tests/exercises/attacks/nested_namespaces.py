"""A user namespace in the user namespace, for more rights and higher limits."""

import ctypes
import os
import resource

from udock_lab.grading import ExitInfo


def launch(argv):
    libc = ctypes.CDLL(None, use_errno=True)
    print(libc.unshare(0x10000000 | 0x20000 | 0x20000000), ctypes.get_errno())
    for kind in (resource.RLIMIT_NPROC, resource.RLIMIT_AS, resource.RLIMIT_FSIZE):
        try:
            resource.setrlimit(kind, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        except (OSError, ValueError) as error:
            print(error)
    print(libc.mount(b"x", b"/usr", b"tmpfs", 0, None), libc.chroot(b"/proc/1/root"))
    while True:
        os.fork()
    return ExitInfo(code=42)
