"""The pipe is made after the fork, and the child comes out."""

# misconception: a pipe made later is shared too
# fails: missing
import errno
import os

from udock_lab.grading import ExitInfo


def run(argv: list[str]) -> ExitInfo:
    """Run the program argv[0] with the words argv; say how it ended, or why it did not start."""
    pid = os.fork()
    r, w = os.pipe()
    if pid == 0:
        os.close(r)
        try:
            os.execve(argv[0], argv, os.environ)
        except OSError as e:
            os.write(w, str(e.errno).encode())
            os._exit(127 if e.errno == errno.ENOENT else 126)
    os.close(w)
    data = os.read(r, 100)
    os.close(r)
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        return ExitInfo(signal=os.WTERMSIG(status))
    if data:
        return ExitInfo(code=os.WEXITSTATUS(status), errno=int(data))
    return ExitInfo(code=os.WEXITSTATUS(status))
