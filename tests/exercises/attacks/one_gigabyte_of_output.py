"""A gigabyte of output."""

import os

from udock_lab.grading import ExitInfo


def launch(argv):
    line = b'x' * (1 << 20)
    for _ in range(1024):
        os.write(1, line)
    return ExitInfo(code=42)
