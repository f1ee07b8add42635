"""The child leads a group of its own, and the parent waits for that group."""

import os

from udock_lab.grading import ExitInfo


def launch(argv):
    pid = os.fork()
    if pid == 0:
        try:
            os.setpgid(0, 0)
            os.execv(argv[0], argv)
        except OSError:
            os._exit(127)
    try:
        os.setpgid(pid, pid)
    except OSError:
        pass  # the child has done it, and is further on
    _, status = os.waitpid(-pid, 0)
    return ExitInfo(code=os.WEXITSTATUS(status)) if os.WIFEXITED(status) else ExitInfo(signal=os.WTERMSIG(status))
