"""Does not even parse."""

import os

from udock_lab.grading import ExitInfo


def launch(argv:
    return ExitInfo(
