"""Asks whether the file is there and has x permission, instead of execve."""

# misconception: ENOENT means the file does not exist
# fails: asks
import errno
import os

from udock_lab.grading import ExitInfo


def run(argv: list[str]) -> ExitInfo:
    if not os.path.lexists(argv[0]):
        return ExitInfo(code=127, errno=errno.ENOENT)
    if os.path.isdir(argv[0]) or (os.path.isfile(argv[0]) and not os.access(argv[0], os.X_OK)):
        return ExitInfo(code=126, errno=errno.EACCES)
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.execv(argv[0], argv)
        finally:
            os.write(write_end, b"x")
            os._exit(126)
    os.close(write_end)
    failed = os.read(read_end, 1)
    os.close(read_end)
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        return ExitInfo(signal=os.WTERMSIG(status))
    return ExitInfo(code=os.WEXITSTATUS(status), errno=errno.ENOEXEC if failed else None)
