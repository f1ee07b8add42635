"""The end is printed."""

# misconception: print hands a value back
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
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        print(ExitInfo(signal=os.WTERMSIG(status)))
    else:
        print(ExitInfo(code=os.WEXITSTATUS(status)))
