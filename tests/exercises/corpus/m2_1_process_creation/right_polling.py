"""Asks again and again without waiting, and sleeps in between."""

import os
import time

from udock_lab.grading import ExitInfo


def launch(argv: list[str]) -> ExitInfo:
    pid = os.fork()
    if pid == 0:
        try:
            os.execv(argv[0], argv)
        finally:
            os._exit(127)
    while True:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended == pid:
            break
        time.sleep(0.005)
    if os.WIFSIGNALED(status):
        return ExitInfo(signal=os.WTERMSIG(status))
    return ExitInfo(code=os.WEXITSTATUS(status))
