"""The bytes of the pipe come back as they are."""

# misconception: bytes of digits are a number
# fails: missing
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
            os.write(write_end, str(error.errno).encode())
        finally:
            os._exit(127)
    os.close(write_end)
    said = os.read(read_end, 16)
    os.close(read_end)
    _, status = os.waitpid(pid, 0)
    if said:
        return ExitInfo(code=127 if said == b"2" else 126, errno=said)
    if os.WIFSIGNALED(status):
        return ExitInfo(signal=os.WTERMSIG(status))
    return ExitInfo(code=os.WEXITSTATUS(status))
