"""The child ends with 1 and that is what comes back."""

# misconception: exit 1 is as good as 127
# fails: missing
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
            os._exit(1)
    os.close(write_end)
    said = os.read(read_end, 1)
    os.close(read_end)
    _, status = os.waitpid(pid, 0)
    if said:
        return ExitInfo(code=os.WEXITSTATUS(status), errno=said[0])
    if os.WIFSIGNALED(status):
        return ExitInfo(signal=os.WTERMSIG(status))
    return ExitInfo(code=os.WEXITSTATUS(status))
