"""Exit 137 is taken for SIGKILL."""

# misconception: exit 137 is SIGKILL
# fails: hidden:codes
import os

from udock_lab.grading import ExitInfo


def launch(argv):
    pid = os.fork()
    if pid == 0:
        try:
            os.execv(argv[0], argv)
        except OSError:
            os._exit(127)
    _, status = os.waitpid(pid, 0)
    if status >> 8 == 137:
        return ExitInfo(signal=9)
    return ExitInfo(code=os.WEXITSTATUS(status)) if os.WIFEXITED(status) else ExitInfo(signal=os.WTERMSIG(status))
