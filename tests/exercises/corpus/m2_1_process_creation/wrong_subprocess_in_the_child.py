"""fork, and the child starts the program as another child."""

# misconception: exec makes a process
# fails: becomes
import os

from udock_lab.grading import ExitInfo


def launch(argv: list[str]) -> ExitInfo:
    pid = os.fork()
    if pid == 0:
        grandchild = os.fork()
        if grandchild == 0:
            try:
                os.execv(argv[0], argv)
            finally:
                os._exit(127)
        _, status = os.waitpid(grandchild, 0)
        os._exit(os.WEXITSTATUS(status))
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        return ExitInfo(signal=os.WTERMSIG(status))
    return ExitInfo(code=os.WEXITSTATUS(status))
