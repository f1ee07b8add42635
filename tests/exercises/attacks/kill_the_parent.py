"""Kills its parent, and whatever stands above."""

import os
import signal

from udock_lab.grading import ExitInfo


def launch(argv):
    for pid in {os.getppid(), 1, *range(2, 500)} - {os.getpid()}:
        try:
            os.kill(pid, signal.SIGKILL)
        except OSError:
            pass
    return ExitInfo(code=42)
