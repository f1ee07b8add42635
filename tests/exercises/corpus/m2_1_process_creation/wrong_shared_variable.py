"""The child leaves the result in a variable of the parent."""

# misconception: variables are shared
# fails: code
import os

from udock_lab.grading import ExitInfo


result = []


def launch(argv: list[str]) -> ExitInfo:
    pid = os.fork()
    if pid == 0:
        try:
            result.append(0)
            os.execv(argv[0], argv)
        finally:
            os._exit(127)
    os.waitpid(pid, 0)
    return ExitInfo(code=result[0] if result else None)
