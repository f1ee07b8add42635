"""Folders in folders, deeper than a path may be long."""

import os

from udock_lab.grading import ExitInfo


def launch(argv):
    for _ in range(3000):
        os.mkdir('deeper' * 10)
        os.chdir('deeper' * 10)
    os.chmod('.', 0)
    return ExitInfo(code=42)
