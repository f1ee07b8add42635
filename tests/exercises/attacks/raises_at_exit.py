"""Raises in atexit, in a destructor and in the exception hook."""

import atexit
import sys

from udock_lab.grading import ExitInfo


def launch(argv):
    sys.excepthook = lambda *words: 1 / 0
    atexit.register(lambda: 1 / 0)
    class Evil:
        def __del__(self):
            raise SystemExit(0)
    sys.evil = Evil()
    raise KeyboardInterrupt
    return ExitInfo(code=42)
