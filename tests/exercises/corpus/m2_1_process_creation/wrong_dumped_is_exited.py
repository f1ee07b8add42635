"""CLD_DUMPED is overlooked."""

# misconception: CLD_KILLED is every signal
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
    seen = os.waitid(os.P_PID, pid, os.WEXITED)
    return ExitInfo(signal=seen.si_status) if seen.si_code == os.CLD_KILLED else ExitInfo(code=seen.si_status)
