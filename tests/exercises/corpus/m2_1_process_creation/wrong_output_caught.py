"""The program's output goes through a pipe, and is printed afterwards."""

# misconception: output belongs to whoever launches
# fails: hidden:inherits
import os
import sys

from udock_lab.grading import ExitInfo


def launch(argv):
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.dup2(writing, 1)
            os.execv(argv[0], argv)
        finally:
            os._exit(127)
    os.close(writing)
    with open(reading, "rb") as output:
        sys.stdout.write(output.read().decode(errors="replace"))
    _, status = os.waitpid(pid, 0)
    return ExitInfo(code=os.WEXITSTATUS(status)) if os.WIFEXITED(status) else ExitInfo(signal=os.WTERMSIG(status))
