"""os.system does the work."""

# misconception: a shell is what starts programs
# fails: starts
import os
import shlex

from udock_lab.grading import ExitInfo


def launch(argv: list[str]) -> ExitInfo:
    status = os.system(shlex.join(argv))
    if os.WIFSIGNALED(status):
        return ExitInfo(signal=os.WTERMSIG(status))
    return ExitInfo(code=os.WEXITSTATUS(status))
