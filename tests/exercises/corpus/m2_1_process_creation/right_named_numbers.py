"""The numbers have names, and are numbers all the same."""

import enum
import os
import signal

from udock_lab.grading import ExitInfo


class Exit(enum.IntEnum):
    NOT_FOUND = 127


def named(number):
    try:
        return signal.Signals(number)
    except ValueError:  # most real-time signals have none
        return number


def launch(argv):
    pid = os.fork()
    if pid == 0:
        try:
            os.execv(argv[0], argv)
        except OSError:
            os._exit(Exit.NOT_FOUND)
    status = os.waitpid(pid, 0)[1]
    if os.WIFSIGNALED(status):
        return ExitInfo(signal=named(os.WTERMSIG(status)))
    code = os.WEXITSTATUS(status)
    return ExitInfo(code=Exit.NOT_FOUND if code == 127 else code)
