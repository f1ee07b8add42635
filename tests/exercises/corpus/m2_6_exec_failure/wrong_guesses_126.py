"""126 is taken for EACCES."""

# misconception: 126 means permission denied
# fails: found
import errno
import os

from udock_lab.grading import ExitInfo


def run(argv: list[str]) -> ExitInfo:
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.execv(argv[0], argv)
        except OSError as error:
            os.write(write_end, bytes([error.errno]))
        finally:
            os._exit(127 if os.path.lexists(argv[0]) is False else 126)
    os.close(write_end)
    said = os.read(read_end, 1)
    os.close(read_end)
    _, status = os.waitpid(pid, 0)
    if said:
        code = os.WEXITSTATUS(status)
        return ExitInfo(code=code, errno=errno.ENOENT if code == 127 else errno.EACCES)
    if os.WIFSIGNALED(status):
        return ExitInfo(signal=os.WTERMSIG(status))
    return ExitInfo(code=os.WEXITSTATUS(status))
