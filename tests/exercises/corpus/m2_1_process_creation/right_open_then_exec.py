"""Opens the program and executes the open file."""

import os

from udock_lab.grading import ExitInfo


def launch(argv):
    pid = os.fork()
    if pid == 0:
        try:
            fd = os.open(argv[0], os.O_PATH | os.O_CLOEXEC)
            os.execve(fd, argv, os.environ)
        except OSError:
            os._exit(127)
    _, status = os.waitpid(pid, 0)
    return ExitInfo(code=os.WEXITSTATUS(status)) if os.WIFEXITED(status) else ExitInfo(signal=os.WTERMSIG(status))
