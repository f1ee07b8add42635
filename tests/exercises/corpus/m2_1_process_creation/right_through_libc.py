"""exec through the C library, which raises nothing: it comes back with -1."""

import ctypes
import os

from udock_lab.grading import ExitInfo

libc = ctypes.CDLL(None, use_errno=True)


def launch(argv: list[str]) -> ExitInfo:
    words = (ctypes.c_char_p * (len(argv) + 1))(*[word.encode() for word in argv], None)
    pid = os.fork()
    if pid == 0:
        libc.execv(words[0], words)
        os._exit(127)
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        return ExitInfo(signal=os.WTERMSIG(status))
    return ExitInfo(code=os.WEXITSTATUS(status))
