"""Seven bits of code."""

# misconception: a code has seven bits, like a signal
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
    if status & 0x7F:
        return ExitInfo(signal=status & 0x7F)
    return ExitInfo(code=status >> 8 & 0x7F)
