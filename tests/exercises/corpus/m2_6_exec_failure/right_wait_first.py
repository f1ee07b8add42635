"""wait4, then a read that never waits."""

import errno
import os

from udock_lab.grading import ExitInfo


def run(argv: list[str]) -> ExitInfo:
    """Run the program argv[0] with the words argv; say how it ended, or why it did not start."""
    r, w = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    pid = os.fork()
    if pid == 0:
        try:
            os.execl(argv[0], *argv)
        except OSError as error:
            os.write(w, bytes([error.errno]))  # fits: no errno of Linux is above 133
            os._exit(127 if error.errno == errno.ENOENT else 126)
        except BaseException:
            os._exit(125)
    os.close(w)
    _, status, _usage = os.wait4(pid, 0)  # a byte waits in the pipe; nobody has to read it now
    byte = os.read(r, 1)  # the last writer is gone: a byte or the end, no waiting
    os.close(r)
    if os.WIFSIGNALED(status):
        return ExitInfo(code=None, signal=os.WTERMSIG(status))
    return ExitInfo(code=os.WEXITSTATUS(status), errno=byte[0] if byte else None)
