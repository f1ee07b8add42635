"""Writes over its own interpreter, and over its parents' memory, by /proc."""

import ctypes
import os

from udock_lab.grading import ExitInfo


def launch(argv):
    for pid in ("self", "1", str(os.getppid()), "2", "3"):
        try:
            with open(f"/proc/{pid}/maps") as f:
                print(pid, len(f.read()))
            fd = os.open(f"/proc/{pid}/mem", os.O_RDWR)
            os.pwrite(fd, b"\xcc" * 64, 0x400000)
        except (OSError, OverflowError) as e:
            print(pid, e)
    libc = ctypes.CDLL(None, use_errno=True)
    print(
        libc.process_vm_writev(1, None, 0, None, 0, 0),
        libc.pidfd_getfd if hasattr(libc, "pidfd_getfd") else libc.syscall(438, libc.syscall(434, 1, 0), 3, 0),
        ctypes.get_errno(),
    )
    return ExitInfo(code=42)
