"""Reads the environment, of itself and of whoever is above, and other processes' files."""

import os

from udock_lab.grading import ExitInfo


def launch(argv):
    print(dict(os.environ))
    for pid in ("self", "1", str(os.getppid())):
        for name in ("environ", "cmdline", "maps"):
            try:
                print(open(f"/proc/{pid}/{name}", "rb").read())
            except OSError as error:
                print(error)
    return ExitInfo(code=42)
