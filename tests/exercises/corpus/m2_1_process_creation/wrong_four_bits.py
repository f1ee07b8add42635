"""Only four bits of the signal's number are read."""

# misconception: a signal has four bits
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
    return ExitInfo(code=os.WEXITSTATUS(status)) if os.WIFEXITED(status) else ExitInfo(signal=status & 0x0F)
