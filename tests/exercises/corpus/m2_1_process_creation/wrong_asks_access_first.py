"""What os.access permits is executed without a net."""

# misconception: after os.access nothing can fail
# fails: stays
import os

from udock_lab.grading import ExitInfo


def launch(argv):
    if not os.access(argv[0], os.X_OK):
        return ExitInfo(code=127)
    pid = os.fork()
    if pid == 0:
        os.execv(argv[0], argv)
    _, status = os.waitpid(pid, 0)
    return ExitInfo(code=os.WEXITSTATUS(status)) if os.WIFEXITED(status) else ExitInfo(signal=os.WTERMSIG(status))
