"""exec alone, in the only process there is."""

# misconception: exec makes a process
# fails: starts
import os

from udock_lab.grading import ExitInfo


def launch(argv: list[str]) -> ExitInfo:
    try:
        os.execv(argv[0], argv)
    except OSError:
        return ExitInfo(code=127)
    _, status = os.wait()
    return ExitInfo(code=os.WEXITSTATUS(status))
