"""A status below 128 is a signal; bit 7 is forgotten."""

# misconception: the wait status has two fields
# fails: ended
import errno
import os

from udock_lab.grading import ExitInfo


def run(argv: list[str]) -> ExitInfo:
    """Run the program argv[0] with the words argv; say how it ended, or why it did not start."""
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.execve(argv[0], argv, os.environ)
        except OSError as error:
            os.write(write_end, str(error.errno).encode())
            os._exit(127 if error.errno == errno.ENOENT else 126)
        finally:
            os._exit(125)
    os.close(write_end)
    said = os.read(read_end, 16)
    os.close(read_end)
    _, status = os.waitpid(pid, 0)
    if 0 < status < 128:  # the lower seven bits: a signal
        return ExitInfo(signal=status)
    code = status >> 8
    return ExitInfo(code=code, errno=int(said)) if said else ExitInfo(code=code)
