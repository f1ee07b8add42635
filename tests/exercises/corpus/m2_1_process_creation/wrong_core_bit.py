"""The core-dump bit is read as part of the signal."""

# misconception: the low byte is the signal
# fails: signal
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
    return ExitInfo(signal=status & 0xFF) if status & 0xFF else ExitInfo(code=status >> 8)
