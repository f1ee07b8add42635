"""The sentence for the errno comes back."""

# misconception: errno is the message
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
            os.write(write_end, error.strerror.encode())
        finally:
            os._exit(127)
    os.close(write_end)
    said = os.read(read_end, 200)
    os.close(read_end)
    _, status = os.waitpid(pid, 0)
    if said:
        why = said.decode()
        return ExitInfo(code=127 if why == os.strerror(errno.ENOENT) else 126, errno=why)
    if os.WIFSIGNALED(status):
        return ExitInfo(signal=os.WTERMSIG(status))
    return ExitInfo(code=os.WEXITSTATUS(status))
