"""Asks whether the file exists before the fork; exec itself is trusted."""

# misconception: a file that exists can be executed
# fails: stays
import os

from udock_lab.grading import ExitInfo


def launch(argv: list[str]) -> ExitInfo:
    if not os.path.exists(argv[0]):
        return ExitInfo(code=127)
    pid = os.fork()
    if pid == 0:
        os.execv(argv[0], argv)
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        return ExitInfo(signal=os.WTERMSIG(status))
    return ExitInfo(code=os.WEXITSTATUS(status))
