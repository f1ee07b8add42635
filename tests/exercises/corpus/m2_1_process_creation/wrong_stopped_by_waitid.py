"""waitid is asked for stops as well, and its status taken for a signal."""

# misconception: si_status is always an end
# fails: code
import os

from udock_lab.grading import ExitInfo


def launch(argv):
    pid = os.fork()
    if pid == 0:
        try:
            os.execv(argv[0], argv)
        except OSError:
            os._exit(127)
    end = os.waitid(os.P_PID, pid, os.WEXITED | os.WSTOPPED)
    return ExitInfo(code=end.si_status) if end.si_code == os.CLD_EXITED else ExitInfo(signal=end.si_status)
