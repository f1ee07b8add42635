"""The child puts the errno into a list that the parent reads."""

# misconception: variables are shared
# fails: missing
import errno
import os

from udock_lab.grading import ExitInfo


def run(argv: list[str]) -> ExitInfo:
    read_end, write_end = os.pipe()
    why = []
    pid = os.fork()
    if pid == 0:
        try:
            os.execv(argv[0], argv)
        except OSError as error:
            why.append(error.errno)
        finally:
            os._exit(127)
    os.close(write_end)
    said = why
    os.close(read_end)
    _, status = os.waitpid(pid, 0)
    if said:
        return ExitInfo(code=127 if said[0] == errno.ENOENT else 126, errno=said[0])
    if os.WIFSIGNALED(status):
        return ExitInfo(signal=os.WTERMSIG(status))
    return ExitInfo(code=os.WEXITSTATUS(status))
