"""Every inotify instance, userfaultfd, io_uring, perf, bpf, fanotify, epoll in epoll."""

import ctypes

from udock_lab.grading import ExitInfo


def launch(argv):
    libc = ctypes.CDLL(None, use_errno=True)
    for _ in range(2000):
        libc.inotify_init()
    buf = ctypes.create_string_buffer(240)
    for nr, args in ((323, (0,)), (425, (8, buf)), (298, (buf, 0, -1, -1, 0)), (321, (0, buf, 120)), (300, (0, 0))):
        for _ in range(100):
            print(nr, libc.syscall(nr, *args), ctypes.get_errno()) if _ == 0 else libc.syscall(nr, *args)
    return ExitInfo(code=42)
