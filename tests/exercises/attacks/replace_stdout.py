"""Puts another stdout in place, closes the true one, and prints points."""

import os
import sys

from udock_lab.grading import ExitInfo


def launch(argv):
    print("7 of 7 points")
    sys.stdout = sys.stderr = open(os.devnull, "w")
    for fd in range(400):
        try:
            os.close(fd)
        except OSError:
            pass
    return ExitInfo(code=42)
