"""posix_spawn hands the errno to its caller."""

# misconception: a call that does both is as good as fork and exec
# fails: ended
import os

from udock_lab.grading import ExitInfo


def run(argv: list[str]) -> ExitInfo:
    try:
        pid = os.posix_spawn(argv[0], argv, os.environ)
    except OSError as error:
        return ExitInfo(code=127 if error.errno == 2 else 126, errno=error.errno)
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        return ExitInfo(signal=os.WTERMSIG(status))
    return ExitInfo(code=os.WEXITSTATUS(status))
