"""A loop starts the program twice."""

# misconception: two forks, the program runs twice
# fails: becomes
import os

from udock_lab.grading import ExitInfo


def launch(argv):
    pids = []
    for _ in range(2):
        pid = os.fork()
        if pid == 0:
            try:
                os.execv(argv[0], argv)
            except OSError:
                os._exit(127)
        pids.append(pid)
    for pid in pids:
        _, status = os.waitpid(pid, 0)
    return ExitInfo(code=os.WEXITSTATUS(status)) if os.WIFEXITED(status) else ExitInfo(signal=os.WTERMSIG(status))
