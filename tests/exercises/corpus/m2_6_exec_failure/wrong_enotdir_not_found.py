"""127 for ENOTDIR, too."""

# misconception: 127 is for all paths that lead nowhere
# fails: hidden:errnos
import errno
import os

from udock_lab.grading import ExitInfo


def run(argv: list[str]) -> ExitInfo:
    """Run the program argv[0] with the words argv; say how it ended, or why it did not start."""
    not_found = {errno.ENOENT, errno.ENOTDIR}  # no such path, one way or the other
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.execve(argv[0], argv, os.environ)
        except OSError as error:
            os.write(write_end, str(error.errno).encode())
            os._exit(127 if error.errno in not_found else 126)
        finally:
            os._exit(125)
    os.close(write_end)
    said = os.read(read_end, 16)
    os.close(read_end)
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        return ExitInfo(signal=os.WTERMSIG(status))
    if said:
        return ExitInfo(code=os.WEXITSTATUS(status), errno=int(said))
    return ExitInfo(code=os.WEXITSTATUS(status))
