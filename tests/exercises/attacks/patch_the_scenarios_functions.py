"""Threads that go on after launch has returned, and a profile function."""

import sys
import threading

from udock_lab.grading import ExitInfo


def launch(argv):
    def forever():
        while True:
            sys._getframe(0)
    for _ in range(10):
        threading.Thread(target=forever).start()
    return ExitInfo(code=42)
