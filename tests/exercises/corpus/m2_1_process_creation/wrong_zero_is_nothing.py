"""Code 0 counts as no code."""

# misconception: 0 and None are the same
# fails: hidden:codes
import os

from udock_lab.grading import ExitInfo


def launch(argv: list[str]) -> ExitInfo:
    pid = os.fork()
    if pid == 0:
        try:
            os.execv(argv[0], argv)
        finally:
            os._exit(127)
    _, status = os.waitpid(pid, 0)
    return ExitInfo(code=status >> 8 or None, signal=status & 0x7F or None)
