"""ptrace on the first process inside, and writing into its memory."""

import ctypes
import os

from udock_lab.grading import ExitInfo


def launch(argv):
    libc = ctypes.CDLL(None, use_errno=True)
    for pid in (1, os.getppid()):
        for request in (16, 0x4206):
            print(pid, request, libc.ptrace(request, pid, 0, 0))
        for name in ("mem", "environ", "cwd/x", "root/x", "fd/3"):
            try:
                os.write(os.open(f"/proc/{pid}/{name}", os.O_RDWR | os.O_CREAT), b"x")
                print("written:", name)
            except OSError as error:
                print(error)
    return ExitInfo(code=42)
