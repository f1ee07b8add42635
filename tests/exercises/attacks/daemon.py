"""A daemon that outlives the check: double fork, own session, signals ignored."""

import os
import signal
import time

from udock_lab.grading import ExitInfo


def launch(argv):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            for number in (1, 2, 15):
                signal.signal(number, signal.SIG_IGN)
            time.sleep(600)
        os._exit(0)
    os.wait()
    return ExitInfo(code=42)
