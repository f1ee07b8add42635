"""The environment is that of the time when this was read."""

# misconception: a copy follows what it was copied from
# fails: hidden:inherits
import os

from udock_lab.grading import ExitInfo


ENVIRONMENT = dict(os.environ)


def launch(argv):
    pid = os.fork()
    if pid == 0:
        try:
            os.execve(argv[0], argv, ENVIRONMENT)
        finally:
            os._exit(127)
    _, status = os.waitpid(pid, 0)
    return ExitInfo(code=os.WEXITSTATUS(status)) if os.WIFEXITED(status) else ExitInfo(signal=os.WTERMSIG(status))
