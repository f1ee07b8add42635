"""Shared memory, semaphores, message queues, keyrings and memfds that nobody removes."""

import ctypes
import os

from udock_lab.grading import ExitInfo


def launch(argv):
    libc = ctypes.CDLL(None, use_errno=True)
    for n in range(2000):
        libc.shmget(0x1000 + n, 1 << 20, 0o1666)
        libc.semget(0x1000 + n, 100, 0o1666)
        libc.msgget(0x1000 + n, 0o1666)
    for n in range(300):
        libc.mq_open(b"/udock-%d" % n, os.O_CREAT | os.O_RDWR, 0o666, None)
        libc.syscall(248, b"user", b"udock-%d" % n, b"x" * 1000, 1000, -4)
        libc.syscall(248, b"user", b"udock-s%d" % n, b"x" * 1000, 1000, -5)
    try:
        from multiprocessing import shared_memory

        for n in range(50):
            shared_memory.SharedMemory(create=True, size=1 << 20, name=f"udock-{n}")
    except Exception as e:
        print(e)
    return ExitInfo(code=42)
