"""Markup and escapes in everything that a report may quote."""

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


MARK = "<script>alert(1)</script><img src=x onerror=alert(1)>\x1b[31m\x1b]0;owned\x07 & \u202e"


def launch(argv):
    honest(argv)

    class Evil:
        def __repr__(self):
            return MARK

    Evil.__name__ = MARK
    return Evil()
