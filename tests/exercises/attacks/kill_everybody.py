"""kill(-1): every process that one may signal."""

import os
import signal

from udock_lab.grading import ExitInfo


def launch(argv):
    os.kill(-1, signal.SIGKILL)
    return ExitInfo(code=42)
