"""waitid with WNOWAIT: it looks and leaves the child uncollected."""

# misconception: to know the status is to have waited
# fails: many
import os

from udock_lab.grading import ExitInfo


def launch(argv: list[str]) -> ExitInfo:
    pid = os.fork()
    if pid == 0:
        try:
            os.execv(argv[0], argv)
        finally:
            os._exit(127)
    ended = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    if ended.si_code == os.CLD_EXITED:
        return ExitInfo(code=ended.si_status)
    return ExitInfo(signal=ended.si_status)
