"""The line after exec ends the child with 0, as if all had gone well."""

# misconception: code after a successful exec runs
# fails: stays
import os

from udock_lab.grading import ExitInfo


def launch(argv: list[str]) -> ExitInfo:
    pid = os.fork()
    if pid == 0:
        try:
            os.execv(argv[0], argv)
        except OSError:
            print("no such program")
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        return ExitInfo(signal=os.WTERMSIG(status))
    return ExitInfo(code=os.WEXITSTATUS(status))
