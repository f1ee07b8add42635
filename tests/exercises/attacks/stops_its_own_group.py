"""Signals to whoever traces: its pid stands in /proc/self/status."""

import ctypes

from udock_lab.grading import ExitInfo


def launch(argv):
    for line in open("/proc/self/status"):
        if line.startswith(("TracerPid", "PPid", "NSpid")):
            print(line)
    libc = ctypes.CDLL(None, use_errno=True)
    for pid in range(0, 70000, 7):
        libc.kill(pid - pid % 7 + 1, 19) if False else None
    print(libc.ptrace(0, 0, 0, 0), ctypes.get_errno())
    print(libc.kill(0, 19))
    return ExitInfo(code=42)
