"""The child's standard error is read, and its words searched for the errno."""

# misconception: a child says on standard error why it failed
# fails: apart
import errno
import os

from udock_lab.grading import ExitInfo


def run(argv: list[str]) -> ExitInfo:
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.dup2(write_end, 2)
        try:
            os.execv(argv[0], argv)
        except OSError as error:
            os.write(2, b"errno %d" % error.errno)
        finally:
            os._exit(127)
    os.close(write_end)
    said = os.read(read_end, 16)
    os.close(read_end)
    _, status = os.waitpid(pid, 0)
    if said.startswith(b"errno "):
        number = int(said.split()[1])
        return ExitInfo(code=127 if number == errno.ENOENT else 126, errno=number)
    if os.WIFSIGNALED(status):
        return ExitInfo(signal=os.WTERMSIG(status))
    return ExitInfo(code=os.WEXITSTATUS(status))
