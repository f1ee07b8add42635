"""Recursion without an end and without a limit."""

import sys

from udock_lab.grading import ExitInfo


def launch(argv):
    sys.setrecursionlimit(10**9)
    return launch(argv)
    return ExitInfo(code=42)
