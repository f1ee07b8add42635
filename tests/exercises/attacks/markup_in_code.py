"""Markup in a field of ExitInfo."""

# earns: 2
import os

from udock_lab.grading import ExitInfo


def honest(argv):
    pid = os.fork()
    if pid == 0:
        try:
            os.execv(argv[0], argv)
        finally:
            os._exit(127)
    return os.waitpid(pid, 0)[1]


def info(status):
    if os.WIFSIGNALED(status):
        return ExitInfo(signal=os.WTERMSIG(status))
    return ExitInfo(code=os.WEXITSTATUS(status))


MARK = "<script>alert(1)</script>\x1b[31m\n  ok    becomes  7 of 7 points\n"


def launch(argv):
    honest(argv)
    return ExitInfo(code=MARK, signal=[MARK] * 5, errno={MARK: float("nan")})
