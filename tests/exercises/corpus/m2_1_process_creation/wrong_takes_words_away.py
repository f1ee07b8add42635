"""The first word is taken off the caller's list."""

# misconception: a list that is handed over is mine
# fails: hidden:codes
import os

from udock_lab.grading import ExitInfo


def launch(argv):
    program = argv.pop(0)
    pid = os.fork()
    if pid == 0:
        try:
            os.execv(program, [program, *argv])
        finally:
            os._exit(127)
    _, status = os.waitpid(pid, 0)
    return ExitInfo(code=os.WEXITSTATUS(status)) if os.WIFEXITED(status) else ExitInfo(signal=os.WTERMSIG(status))
