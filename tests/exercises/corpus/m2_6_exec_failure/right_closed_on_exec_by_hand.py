"""Close-on-exec is set by fcntl, on ends made without it."""

import errno
import fcntl
import os

from udock_lab.grading import ExitInfo


def run(argv: list[str]) -> ExitInfo:
    read_end, write_end = os.pipe()
    os.set_inheritable(write_end, True)
    os.set_inheritable(read_end, True)
    for end in (read_end, write_end):
        fcntl.fcntl(end, fcntl.F_SETFD, fcntl.fcntl(end, fcntl.F_GETFD) | fcntl.FD_CLOEXEC)
    pid = os.fork()
    if pid == 0:
        try:
            os.execv(argv[0], argv)
        except OSError as error:
            os.write(write_end, str(error.errno).encode())
        finally:
            os._exit(127)
    os.close(write_end)
    said = os.read(read_end, 16)
    os.close(read_end)
    _, status = os.waitpid(pid, 0)
    if said:
        number = int(said)
        return ExitInfo(code=127 if number == errno.ENOENT else 126, errno=number)
    if os.WIFSIGNALED(status):
        return ExitInfo(signal=os.WTERMSIG(status))
    return ExitInfo(code=os.WEXITSTATUS(status))
