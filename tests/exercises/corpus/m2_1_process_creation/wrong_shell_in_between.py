"""The child becomes a shell, which starts the program."""

# misconception: a shell is what starts programs
# fails: becomes
import os
import shlex

from udock_lab.grading import ExitInfo


def launch(argv: list[str]) -> ExitInfo:
    pid = os.fork()
    if pid == 0:
        try:
            os.execv("/bin/sh", ["/bin/sh", "-c", shlex.join(argv)])
        finally:
            os._exit(127)
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        return ExitInfo(signal=os.WTERMSIG(status))
    return ExitInfo(code=os.WEXITSTATUS(status))
