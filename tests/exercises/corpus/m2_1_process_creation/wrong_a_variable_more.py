"""A variable tells the program who has launched it."""

# misconception: a variable more does no harm
# fails: hidden:inherits
import os

from udock_lab.grading import ExitInfo


def launch(argv):
    pid = os.fork()
    if pid == 0:
        try:
            os.execve(argv[0], argv, {**os.environ, "LAUNCHED": "1"})
        finally:
            os._exit(127)
    _, status = os.waitpid(pid, 0)
    return ExitInfo(code=os.WEXITSTATUS(status)) if os.WIFEXITED(status) else ExitInfo(signal=os.WTERMSIG(status))
