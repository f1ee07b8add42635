"""A kind of ExitInfo with a property more."""

import os
from dataclasses import dataclass

from udock_lab.grading import ExitInfo


class End(ExitInfo):
    @property
    def ok(self):
        return self.code == 0


def launch(argv):
    pid = os.fork()
    if pid == 0:
        try:
            os.execv(argv[0], argv)
        except OSError:
            os._exit(127)
    _, status = os.waitpid(pid, 0)
    return End(code=os.WEXITSTATUS(status)) if os.WIFEXITED(status) else End(signal=os.WTERMSIG(status))
