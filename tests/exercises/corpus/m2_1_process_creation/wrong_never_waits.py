"""Returns before the child has ended."""

# misconception: wait is optional
# fails: code
import os

from udock_lab.grading import ExitInfo


def launch(argv: list[str]) -> ExitInfo:
    pid = os.fork()
    if pid == 0:
        try:
            os.execv(argv[0], argv)
        finally:
            os._exit(127)
    return ExitInfo(code=0)
