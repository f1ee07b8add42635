"""waitpid's first value is the pid."""

# misconception: wait returns the exit code
# fails: code
import os

from udock_lab.grading import ExitInfo


def launch(argv: list[str]) -> ExitInfo:
    pid = os.fork()
    if pid == 0:
        try:
            os.execv(argv[0], argv)
        finally:
            os._exit(127)
    code, _ = os.waitpid(pid, 0)
    return ExitInfo(code=code)
