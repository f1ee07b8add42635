"""Asks kill(pid, 0) until the pid is gone."""

# misconception: kill(pid, 0) fails once the process has ended
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
    while True:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            break
        time.sleep(0.01)
    _, status = os.waitpid(pid, 0)
    return ExitInfo(code=os.WEXITSTATUS(status))
