"""No try around execve."""

# misconception: a failed exec goes on with the next line, as in C
# fails: missing
import errno
import os

from udock_lab.grading import ExitInfo


def run(argv: list[str]) -> ExitInfo:
    """Run the program argv[0] with the words argv; say how it ended, or why it did not start."""
    r, w = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.execve(argv[0], argv, os.environ)
        # we only get here if it failed
        os.write(w, str(errno.ENOENT).encode())
        os._exit(127)
    os.close(w)
    data = os.read(r, 100)
    os.close(r)
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        return ExitInfo(signal=os.WTERMSIG(status))
    if data:
        return ExitInfo(code=os.WEXITSTATUS(status), errno=int(data))
    return ExitInfo(code=os.WEXITSTATUS(status))
