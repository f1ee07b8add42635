"""After a second a program counts as hanging, and is killed; on a busy machine it has longer."""

# misconception: a program that takes a second hangs
# fails: hidden:codes
import os
import signal
import time

from udock_lab.grading import ExitInfo

SECONDS = 0.8


def busy():
    """How many want each processor, as long as that is no more than six."""
    return min(max(os.getloadavg()[0] / len(os.sched_getaffinity(0)), 1), 6)


def launch(argv):
    pid = os.fork()
    if pid == 0:
        try:
            os.execv(argv[0], argv)
        except OSError:
            os._exit(127)
    deadline = time.monotonic() + SECONDS * busy()
    while time.monotonic() < deadline:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            break
        time.sleep(0.01)
    else:
        os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
    return ExitInfo(code=os.WEXITSTATUS(status)) if os.WIFEXITED(status) else ExitInfo(signal=os.WTERMSIG(status))
