"""126 is made 127."""

# misconception: 126 is a failed exec too
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
    if os.WIFEXITED(status):
        code = os.WEXITSTATUS(status)
        return ExitInfo(code=127 if code == 126 else code)
    return ExitInfo(signal=os.WTERMSIG(status))
