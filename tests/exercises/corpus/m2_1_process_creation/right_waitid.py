"""waitid hands over a decoded answer: si_code says how, si_status says what."""

import os

from udock_lab.grading import ExitInfo


def launch(argv: list[str]) -> ExitInfo:
    pid = os.fork()
    if pid == 0:
        try:
            os.execv(argv[0], argv)
        finally:
            os._exit(127)
    ended = os.waitid(os.P_PID, pid, os.WEXITED)
    if ended.si_code == os.CLD_EXITED:
        return ExitInfo(ended.si_status)
    return ExitInfo(None, ended.si_status)
