"""Waits with waitid for any child."""

# misconception: P_ALL is the usual word
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
    info = os.waitid(os.P_ALL, 0, os.WEXITED)
    status = info.si_status << 8 if info.si_code == os.CLD_EXITED else info.si_status
    if said:
        number = int(said)
        return ExitInfo(code=127 if number == errno.ENOENT else 126, errno=number)
    if os.WIFSIGNALED(status):
        return ExitInfo(signal=os.WTERMSIG(status))
    return ExitInfo(code=os.WEXITSTATUS(status))
