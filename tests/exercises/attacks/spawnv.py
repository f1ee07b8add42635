"""os.spawnv forks in Python; no audit event tells of it on Linux."""

import os

from udock_lab.grading import ExitInfo


def launch(argv):
    code = os.spawnv(os.P_WAIT, argv[0], argv)
    return ExitInfo(signal=-code) if code < 0 else ExitInfo(code=code)
