"""The parent becomes the program; the child waits."""

# misconception: fork returns 0 in the parent
# fails: becomes
import os

from udock_lab.grading import ExitInfo


def launch(argv: list[str]) -> ExitInfo:
    pid = os.fork()
    if pid != 0:
        os.execv(argv[0], argv)
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        return ExitInfo(signal=os.WTERMSIG(status))
    return ExitInfo(code=os.WEXITSTATUS(status))
