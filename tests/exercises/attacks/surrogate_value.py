"""A return value with lone surrogates."""

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


def launch(argv):
    honest(argv)
    return "\ud800\0\udfff\x1b[31m"
