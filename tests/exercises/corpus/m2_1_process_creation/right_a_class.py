"""An object that keeps the pid; launch is a thin face before it."""

import os

from udock_lab.grading import ExitInfo


class Process:
    def __init__(self, argv):
        self.argv = list(argv)
        self.pid = None

    def start(self):
        self.pid = os.fork()
        if self.pid == 0:
            self._become()
        return self

    def _become(self):
        try:
            os.execv(self.argv[0], self.argv)
        except Exception:
            os._exit(127)

    def end(self):
        _, status, _usage = os.wait4(self.pid, 0)
        code, number = divmod(status, 256)
        return ExitInfo(signal=number & 127) if number else ExitInfo(code=code)


launch = lambda argv: Process(argv).start().end()  # noqa: E731
