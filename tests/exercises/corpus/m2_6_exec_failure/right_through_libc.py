"""exec through the C library, which raises nothing: it comes back with -1."""

import ctypes
import os

from udock_lab.grading import ExitInfo

libc = ctypes.CDLL(None, use_errno=True)


def run(argv):
    words = (ctypes.c_char_p * (len(argv) + 1))(*[os.fsencode(word) for word in argv], None)
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        libc.execv(words[0], words)
        os.write(write_end, bytes([ctypes.get_errno()]))
        os._exit(127)
    os.close(write_end)
    number = os.read(read_end, 1)
    os.close(read_end)
    _, status = os.waitpid(pid, 0)
    if number:
        return ExitInfo(code=127 if number[0] == 2 else 126, errno=number[0])
    if os.WIFSIGNALED(status):
        return ExitInfo(signal=os.WTERMSIG(status))
    return ExitInfo(code=os.WEXITSTATUS(status))
