"""One nested function for each of the two processes."""

import os

from udock_lab.grading import ExitInfo


def launch(argv: list[str]) -> ExitInfo:
    def in_the_child():
        try:
            os.execl(argv[0], *argv)
        finally:
            os._exit(127)

    def in_the_parent(child):
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status):
            return ExitInfo(signal=os.WTERMSIG(status))
        return ExitInfo(code=os.WEXITSTATUS(status))

    return in_the_parent(os.fork() or in_the_child())
