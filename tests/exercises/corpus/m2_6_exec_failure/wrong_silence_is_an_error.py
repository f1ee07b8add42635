"""A child that said nothing is an error."""

# misconception: a child always comes as far as its first line
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
            os.write(write_end, b"exec:")  # the child lives and is about to exec
            os.execve(argv[0], argv, os.environ)
        except OSError as error:
            os.write(write_end, str(error.errno).encode())
            os._exit(127 if error.errno == errno.ENOENT else 126)
        finally:
            os._exit(125)
    os.close(write_end)
    with os.fdopen(read_end, "rb") as pipe:
        said = pipe.read()
    _, status = os.waitpid(pid, 0)
    if not said.startswith(b"exec:"):
        raise RuntimeError("the child never reached its exec")
    said = said.removeprefix(b"exec:")
    if os.WIFSIGNALED(status):
        return ExitInfo(signal=os.WTERMSIG(status))
    if said:
        return ExitInfo(code=os.WEXITSTATUS(status), errno=int(said))
    return ExitInfo(code=os.WEXITSTATUS(status))
