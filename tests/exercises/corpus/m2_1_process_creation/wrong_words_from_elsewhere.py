"""A name of the notebook in the place of the parameter."""

# misconception: the words are the ones I tried it with
# fails: becomes
import os

from udock_lab.grading import ExitInfo


cmd = ["/bin/sh", "-c", "exit 42"]


def launch(argv):
    pid = os.fork()
    if pid == 0:
        try:
            os.execv(cmd[0], cmd)
        finally:
            os._exit(127)
    _, status = os.waitpid(pid, 0)
    return ExitInfo(code=os.WEXITSTATUS(status)) if os.WIFEXITED(status) else ExitInfo(signal=os.WTERMSIG(status))
