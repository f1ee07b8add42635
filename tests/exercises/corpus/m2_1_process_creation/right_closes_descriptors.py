"""Flushes before the fork; the child closes everything but 0, 1 and 2 before exec."""

import os
import sys

from udock_lab.grading import ExitInfo


def launch(argv: list[str]) -> ExitInfo:
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid == 0:
        try:
            os.closerange(3, 4096)
            os.execv(argv[0], tuple(argv))
        except OSError:
            pass
        finally:
            os._exit(127)
    return finished(pid)


def finished(pid: int) -> ExitInfo:
    try:
        _, status = os.waitpid(pid, 0)
        return ExitInfo(code=None if status & 127 else status >> 8, signal=status & 127 or None)
    except ChildProcessError:
        return ExitInfo(code=127)
