"""It traces, reads and kills whoever looks on."""

# earns: 0
import ctypes
import os
import signal

from udock_lab.grading import ExitInfo

libc = ctypes.CDLL(None, use_errno=True)
above = os.getppid()


def run(argv):
    if libc.ptrace(16, above, 0, 0) == 0:  # PTRACE_ATTACH
        return ExitInfo(code=42)
    for name in ("mem", "environ", "maps", "fd"):
        try:
            open(f"/proc/{above}/{name}", "rb+").read(1)
            return ExitInfo(code=42)
        except OSError:
            pass
    os.kill(above, signal.SIGKILL)
    return ExitInfo(code=42)
