"""Only the child closes an end; the parent's copy stays."""

# misconception: a close in the child closes it for both
# fails: back
import errno
import os

from udock_lab.grading import ExitInfo


def run(argv: list[str]) -> ExitInfo:
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(read_end)
            os.execv(argv[0], argv)
        except OSError as error:
            os.write(write_end, bytes([error.errno]))
        finally:
            os._exit(127)
    said = os.read(read_end, 1)
    os.close(read_end)
    _, status = os.waitpid(pid, 0)
    if said:
        return ExitInfo(code=127 if said[0] == errno.ENOENT else 126, errno=said[0])
    if os.WIFSIGNALED(status):
        return ExitInfo(signal=os.WTERMSIG(status))
    return ExitInfo(code=os.WEXITSTATUS(status))
