"""Closes everything from 3 on before exec, the write end too."""

# misconception: the program must inherit nothing, so close it all
# fails: missing
import errno
import os

from udock_lab.grading import ExitInfo


def run(argv: list[str]) -> ExitInfo:
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.closerange(3, 100)
            os.execv(argv[0], argv)
        except OSError as error:
            os.write(write_end, bytes([error.errno]))
        finally:
            os._exit(127)
    os.close(write_end)
    said = os.read(read_end, 1)
    os.close(read_end)
    _, status = os.waitpid(pid, 0)
    if said:
        return ExitInfo(code=127 if said[0] == errno.ENOENT else 126, errno=said[0])
    if os.WIFSIGNALED(status):
        return ExitInfo(signal=os.WTERMSIG(status))
    return ExitInfo(code=os.WEXITSTATUS(status))
