"""Catches the error around the fork."""

# misconception: a failed exec raises in the parent
# fails: missing
import os

from udock_lab.grading import ExitInfo


def run(argv: list[str]) -> ExitInfo:
    number = None
    try:
        pid = os.fork()
        if pid == 0:
            os.execv(argv[0], argv)
    except OSError as error:
        number = error.errno
    if pid == 0:
        os._exit(127)
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        return ExitInfo(signal=os.WTERMSIG(status))
    return ExitInfo(code=os.WEXITSTATUS(status), errno=number)
