"""posix_spawn forks and execs in one call."""

# misconception: a call that does both is as good as fork and exec
# fails: starts
import os

from udock_lab.grading import ExitInfo


def launch(argv: list[str]) -> ExitInfo:
    try:
        pid = os.posix_spawn(argv[0], argv, os.environ)
    except OSError:
        return ExitInfo(code=127)
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        return ExitInfo(signal=os.WTERMSIG(status))
    return ExitInfo(code=os.WEXITSTATUS(status))
