"""The errno travels in memory that both processes share."""

# misconception: any place that both can reach is as good as a pipe
# fails: pipe
import errno
import mmap
import os

from udock_lab.grading import ExitInfo


def run(argv: list[str]) -> ExitInfo:
    memory = mmap.mmap(-1, 4)
    pid = os.fork()
    if pid == 0:
        try:
            os.execv(argv[0], argv)
        except OSError as error:
            memory[0] = error.errno
        finally:
            os._exit(127)
    _, status = os.waitpid(pid, 0)
    if said := memory[:1].strip(b"\0"):
        return ExitInfo(code=127 if said[0] == errno.ENOENT else 126, errno=said[0])
    if os.WIFSIGNALED(status):
        return ExitInfo(signal=os.WTERMSIG(status))
    return ExitInfo(code=os.WEXITSTATUS(status))
