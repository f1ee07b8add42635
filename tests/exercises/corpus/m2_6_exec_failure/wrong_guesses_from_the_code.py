"""No pipe: 127 means ENOENT, 126 means that it was refused."""

# misconception: 127 always means not found
# fails: apart
import errno
import os

from udock_lab.grading import ExitInfo


def run(argv: list[str]) -> ExitInfo:
    pid = os.fork()
    if pid == 0:
        try:
            os.execv(argv[0], argv)
        except OSError as error:
            os._exit(127 if error.errno == errno.ENOENT else 126)
        finally:
            os._exit(1)
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        return ExitInfo(signal=os.WTERMSIG(status))
    code = os.WEXITSTATUS(status)
    number = None
    if code == 127:
        number = errno.ENOENT
    if code == 126:
        number = errno.ENOEXEC if os.access(argv[0], os.X_OK) and os.path.isfile(argv[0]) else errno.EACCES
    return ExitInfo(code=code, errno=number)
