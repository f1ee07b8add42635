"""Looks fifty times, then takes what it has."""

# misconception: no program takes longer than half a second
# fails: code
import os
import time

from udock_lab.grading import ExitInfo


def launch(argv):
    pid = os.fork()
    if pid == 0:
        try:
            os.execv(argv[0], argv)
        except OSError:
            os._exit(127)
    for _ in range(50):
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            break
        time.sleep(0.01)
    return ExitInfo(code=os.WEXITSTATUS(status)) if os.WIFEXITED(status) else ExitInfo(signal=os.WTERMSIG(status))
