"""A thread and an atexit handler that strike later."""

import atexit
import os
import threading
import time

from udock_lab.grading import ExitInfo


def launch(argv):
    threading.Timer(0.5, os.kill, (os.getppid(), 9)).start()
    atexit.register(time.sleep, 60)
    atexit.register(os.system, "rm -rf @home@")
    return ExitInfo(code=42)
