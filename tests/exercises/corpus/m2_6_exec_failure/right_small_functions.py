"""One function for each of the two processes; the loop reads until end-of-file."""

import errno
import os

from udock_lab.grading import ExitInfo


def become(argv, write_end):
    try:
        os.execv(argv[0], argv)
    except OSError as error:
        os.write(write_end, f"{error.errno}\n".encode())
    finally:
        os._exit(127)


def read_all(fd):
    try:
        return b"".join(iter(lambda: os.read(fd, 1), b""))
    finally:
        os.close(fd)


def run(argv):
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        become(argv, write_end)
    os.close(write_end)
    said = read_all(read_end)
    _, status = os.waitpid(pid, 0)
    if said:
        number = int(said)
        return ExitInfo(code={errno.ENOENT: 127}.get(number, 126), errno=number)
    if os.WIFSIGNALED(status):
        return ExitInfo(signal=os.WTERMSIG(status))
    return ExitInfo(code=os.WEXITSTATUS(status))
