"""Both processes call waitpid, before anybody asks who is who."""

# misconception: only the parent comes to waitpid
# fails: becomes
import os

from udock_lab.grading import ExitInfo


def launch(argv):
    pid = os.fork()
    _, status = os.waitpid(pid, 0)
    if pid == 0:
        os.execv(argv[0], argv)
    return ExitInfo(code=os.WEXITSTATUS(status)) if os.WIFEXITED(status) else ExitInfo(signal=os.WTERMSIG(status))
