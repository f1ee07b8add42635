"""execve with the environment spelt out; Python's own decoder, which writes a signal as a negative number."""

import os

from udock_lab.grading import ExitInfo


def launch(argv: list[str]) -> ExitInfo:
    pid = os.fork()
    if not pid:
        try:
            os.execve(argv[0], argv, os.environ)
        except OSError:
            os._exit(127)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return ExitInfo(signal=-code) if code < 0 else ExitInfo(code=code)
