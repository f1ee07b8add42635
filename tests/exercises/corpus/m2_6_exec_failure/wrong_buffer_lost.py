"""The number waits in a file object as the child ends."""

# misconception: write on a file object has reached the pipe
# fails: missing
import errno
import os

from udock_lab.grading import ExitInfo


def run(argv: list[str]) -> ExitInfo:
    """Run the program argv[0] with the words argv; say how it ended, or why it did not start."""
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        out = os.fdopen(write_end, "w")
        try:
            os.execve(argv[0], argv, os.environ)
        except OSError as error:
            out.write(f"{error.errno}\n")
            os._exit(127 if error.errno == errno.ENOENT else 126)
        finally:
            os._exit(125)
    os.close(write_end)
    with os.fdopen(read_end) as pipe:
        said = pipe.readline()
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        return ExitInfo(signal=os.WTERMSIG(status))
    if said:
        return ExitInfo(code=os.WEXITSTATUS(status), errno=int(said))
    return ExitInfo(code=os.WEXITSTATUS(status))
