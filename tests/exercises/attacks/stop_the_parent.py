"""SIGSTOP to the parent and to everything else."""

import os
import signal

from udock_lab.grading import ExitInfo


def launch(argv):
    for pid in {os.getppid(), *range(1, 500)} - {os.getpid()}:
        try:
            os.kill(pid, signal.SIGSTOP)
        except OSError:
            pass
    return ExitInfo(code=42)
