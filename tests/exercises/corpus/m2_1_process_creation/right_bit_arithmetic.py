"""No macro: seven bits of signal, one of core dump, eight of code."""

import os

from udock_lab.grading import ExitInfo


def launch(argv: list[str]) -> ExitInfo:
    pid = os.fork()
    if pid == 0:
        try:
            os.execv(argv[0], argv)
        finally:
            os._exit(127)
    status = os.waitpid(pid, 0)[1]
    number = status & 0x7F
    if number != 0:
        return ExitInfo(signal=number)
    return ExitInfo(code=(status >> 8) & 0xFF)
