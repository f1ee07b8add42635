"""The same words are run once."""

# misconception: the same words end the same way
# fails: hidden:codes
import functools
import os

from udock_lab.grading import ExitInfo


def launch(argv):
    return _launch(tuple(argv))


@functools.lru_cache
def _launch(argv):
    pid = os.fork()
    if pid == 0:
        try:
            os.execv(argv[0], argv)
        except OSError:
            os._exit(127)
    _, status = os.waitpid(pid, 0)
    return ExitInfo(code=os.WEXITSTATUS(status)) if os.WIFEXITED(status) else ExitInfo(signal=os.WTERMSIG(status))
