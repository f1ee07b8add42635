"""Exit code 1 for a program that was not found."""

# misconception: exit 1 is as good as 127
# fails: stays
import os

from udock_lab.grading import ExitInfo


def launch(argv: list[str]) -> ExitInfo:
    pid = os.fork()
    if pid == 0:
        try:
            os.execv(argv[0], argv)
        finally:
            os._exit(1)
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        return ExitInfo(signal=os.WTERMSIG(status))
    return ExitInfo(code=os.WEXITSTATUS(status))
