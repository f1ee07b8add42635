"""The program gets PATH and HOME, as a container does."""

# misconception: an environment is PATH and HOME
# fails: hidden:inherits
import os

from udock_lab.grading import ExitInfo


def launch(argv):
    pid = os.fork()
    if pid == 0:
        try:
            os.execve(argv[0], argv, {name: os.environ[name] for name in ("PATH", "HOME")})
        finally:
            os._exit(127)
    _, status = os.waitpid(pid, 0)
    return ExitInfo(code=os.WEXITSTATUS(status)) if os.WIFEXITED(status) else ExitInfo(signal=os.WTERMSIG(status))
