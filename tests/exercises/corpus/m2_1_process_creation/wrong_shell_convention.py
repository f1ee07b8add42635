"""128 + n, as a shell would say."""

# misconception: 128 + n is what the kernel says
# fails: signal
import os

from udock_lab.grading import ExitInfo


def launch(argv: list[str]) -> ExitInfo:
    pid = os.fork()
    if pid == 0:
        try:
            os.execv(argv[0], argv)
        finally:
            os._exit(127)
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        return ExitInfo(code=128 + os.WTERMSIG(status))
    return ExitInfo(code=os.WEXITSTATUS(status))
