"""The child that failed leaves a process of its own."""

# misconception: the child may take its time
# fails: stays
import os
import time

from udock_lab.grading import ExitInfo


def launch(argv):
    pid = os.fork()
    if pid == 0:
        try:
            os.execv(argv[0], argv)
        except OSError:
            pass
        if os.fork():
            os._exit(127)
        time.sleep(30)
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    return ExitInfo(code=os.WEXITSTATUS(status)) if os.WIFEXITED(status) else ExitInfo(signal=os.WTERMSIG(status))
