"""No branch for the child at all: both processes wait."""

# misconception: the program goes on only in the parent
# fails: becomes
import os

from udock_lab.grading import ExitInfo


def launch(argv: list[str]) -> ExitInfo:
    pid = os.fork()
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        return ExitInfo(signal=os.WTERMSIG(status))
    return ExitInfo(code=os.WEXITSTATUS(status))
