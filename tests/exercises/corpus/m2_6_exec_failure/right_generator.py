"""Context managers and a generator that reads a byte at a time."""

import contextlib
import errno
import os

from udock_lab.grading import ExitInfo


@contextlib.contextmanager
def closing(fd):
    try:
        yield fd
    finally:
        os.close(fd)


@contextlib.contextmanager
def child_of(body):
    """Fork; the child runs body and never comes back. The parent collects it at the end."""
    pid = os.fork()
    if pid == 0:
        try:
            body()
        finally:
            os._exit(126)
    status = []
    try:
        yield status
    finally:
        status.append(os.waitpid(pid, 0)[1])


def chunks(fd):
    while chunk := os.read(fd, 1):  # a byte at a time: no message is too long, none too short
        yield chunk


def run(argv: list[str]) -> ExitInfo:
    """Run the program argv[0] with the words argv; say how it ended, or why it did not start."""
    r, w = os.pipe()

    def become():
        try:
            os.execve(argv[0], argv, os.environ)
        except OSError as error:
            for letter in str(error.errno):
                os.write(w, letter.encode())

    with closing(r):
        with contextlib.ExitStack() as stack:
            with closing(w):
                status = stack.enter_context(child_of(become))
            text = b"".join(chunks(r))
    match os.waitstatus_to_exitcode(status[0]), text:
        case code, _ if code < 0:
            return ExitInfo(signal=-code)
        case code, b"":
            return ExitInfo(code=code)
        case _, digits if int(digits) == errno.ENOENT:
            return ExitInfo(code=127, errno=int(digits))
        case _, digits:
            return ExitInfo(code=126, errno=int(digits))
