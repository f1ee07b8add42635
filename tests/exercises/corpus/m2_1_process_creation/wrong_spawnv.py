"""os.spawnv forks and waits."""

# misconception: whatever forks inside is as good as fork
# fails: starts
import os

from udock_lab.grading import ExitInfo


def launch(argv):
    code = os.spawnv(os.P_WAIT, argv[0], argv)
    return ExitInfo(code=code) if code >= 0 else ExitInfo(signal=-code)
