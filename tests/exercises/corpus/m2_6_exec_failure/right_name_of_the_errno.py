"""The name of the errno travels, as in the lesson."""

import errno
import os

from udock_lab.grading import ExitInfo


def run(argv):
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.execl(argv[0], *argv)
        except OSError as error:
            os.write(write_end, errno.errorcode[error.errno].encode())
            os._exit(127 if error.errno == errno.ENOENT else 126)
        os._exit(1)
    os.close(write_end)
    said = os.read(read_end, 32).decode()
    os.close(read_end)
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        return ExitInfo(signal=os.WTERMSIG(status))
    return ExitInfo(code=os.WEXITSTATUS(status), errno=getattr(errno, said) if said else None)
