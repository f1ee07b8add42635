"""Subreaper, no dumping, no children shown; children that change their uid and group, where they may."""

import contextlib
import ctypes
import os
import signal
import time

from udock_lab.grading import ExitInfo


def launch(argv):
    libc = ctypes.CDLL(None)
    libc.prctl(36, 1, 0, 0, 0)
    for uid in range(5):
        if os.fork() == 0:
            os.setsid()
            with contextlib.suppress(OSError):
                os.setresgid(uid + 100, uid + 100, uid + 100)
                os.setresuid(uid + 100, uid + 100, uid + 100)
            libc.prctl(4, 0, 0, 0, 0)
            signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
            if os.fork() == 0:
                time.sleep(300)
            time.sleep(300)
    libc.prctl(4, 0, 0, 0, 0)
    return ExitInfo(code=42)
