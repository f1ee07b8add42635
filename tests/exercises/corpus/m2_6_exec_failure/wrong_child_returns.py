"""The child returns from run."""

# misconception: return ends the child
# fails: missing
import errno
import os

from udock_lab.grading import ExitInfo


def run(argv: list[str]) -> ExitInfo:
    """Run the program argv[0] with the words argv; say how it ended, or why it did not start."""
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(read_end)
        try:
            os.execve(argv[0], argv, os.environ)
        except OSError as error:
            os.write(write_end, str(error.errno).encode())
            os.close(write_end)
            return ExitInfo(code=127 if error.errno == errno.ENOENT else 126, errno=error.errno)
    os.close(write_end)
    said = os.read(read_end, 16)
    os.close(read_end)
    if said:
        number = int(said)
        os.waitpid(pid, 0)
        return ExitInfo(code=127 if number == errno.ENOENT else 126, errno=number)
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        return ExitInfo(signal=os.WTERMSIG(status))
    return ExitInfo(code=os.WEXITSTATUS(status))
