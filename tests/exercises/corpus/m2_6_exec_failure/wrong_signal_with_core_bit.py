"""Bit 7 counts as part of the signal."""

# misconception: the lower byte is the signal
# fails: ended
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
        number = int(said)
        return ExitInfo(code=127 if number == errno.ENOENT else 126, errno=number)
    if status & 0xFF:
        return ExitInfo(signal=status & 0xFF)
    return ExitInfo(code=os.WEXITSTATUS(status))
