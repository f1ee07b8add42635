"""SIGCHLD is ignored so that there is no zombie."""

# misconception: a status can be had although nobody keeps it
# fails: code
import os
import signal

from udock_lab.grading import ExitInfo


def launch(argv: list[str]) -> ExitInfo:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    pid = os.fork()
    if pid == 0:
        try:
            os.execv(argv[0], argv)
        finally:
            os._exit(127)
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        return ExitInfo(signal=os.WTERMSIG(status))
    return ExitInfo(code=os.WEXITSTATUS(status))
