"""Closes every descriptor, maps, and goes on."""

import os

from udock_lab.grading import ExitInfo


def launch(argv):
    os.closerange(0, 65536)
    return ExitInfo(code=42)
