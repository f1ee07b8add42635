"""Looks once, without waiting."""

# misconception: wait is optional; the status is there at once
# fails: code
import os

from udock_lab.grading import ExitInfo


def launch(argv: list[str]) -> ExitInfo:
    pid = os.fork()
    if pid == 0:
        try:
            os.execv(argv[0], argv)
        finally:
            os._exit(127)
    _, status = os.waitpid(pid, os.WNOHANG)
    return ExitInfo(code=os.WEXITSTATUS(status))
