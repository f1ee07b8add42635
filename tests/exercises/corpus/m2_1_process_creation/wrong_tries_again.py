"""A program that says 1 is started again."""

# misconception: a program that fails is tried again
# fails: becomes
import os

from udock_lab.grading import ExitInfo


def once(argv):
    pid = os.fork()
    if pid == 0:
        try:
            os.execv(argv[0], argv)
        except OSError:
            os._exit(127)
    return os.waitpid(pid, 0)[1]


def launch(argv):
    for _ in range(3):
        status = once(argv)
        if status == 0:
            break
    return ExitInfo(code=os.WEXITSTATUS(status)) if os.WIFEXITED(status) else ExitInfo(signal=os.WTERMSIG(status))
