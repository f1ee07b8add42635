"""Other children of the caller are stopped first."""

# misconception: one child at a time: older ones are stopped
# fails: own
import os
import signal

from udock_lab.grading import ExitInfo


def launch(argv):
    for thread in os.listdir("/proc/self/task"):
        for other in open(f"/proc/self/task/{thread}/children").read().split():
            os.kill(int(other), signal.SIGTERM)
    pid = os.fork()
    if pid == 0:
        try:
            os.execv(argv[0], argv)
        except OSError:
            os._exit(127)
    _, status = os.waitpid(pid, 0)
    return ExitInfo(code=os.WEXITSTATUS(status)) if os.WIFEXITED(status) else ExitInfo(signal=os.WTERMSIG(status))
