"""A third of a second is taken for long enough."""

# misconception: a pause is long enough
# fails: code
import os
import time

from udock_lab.grading import ExitInfo


def launch(argv):
    pid = os.fork()
    if pid == 0:
        try:
            os.execv(argv[0], argv)
        except OSError:
            os._exit(127)
    time.sleep(0.3)
    _, status = os.waitpid(pid, os.WNOHANG)
    return ExitInfo(code=os.WEXITSTATUS(status)) if os.WIFEXITED(status) else ExitInfo(signal=os.WTERMSIG(status))
