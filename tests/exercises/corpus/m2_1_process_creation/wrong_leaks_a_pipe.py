"""A pipe that is inheritable goes on to the program."""

# misconception: descriptors close themselves at exec
# fails: hidden:inherits
import os

from udock_lab.grading import ExitInfo


def launch(argv: list[str]) -> ExitInfo:
    read_end, write_end = os.pipe()
    os.set_inheritable(read_end, True)
    os.set_inheritable(write_end, True)
    pid = os.fork()
    if pid == 0:
        try:
            os.execv(argv[0], argv)
        finally:
            os._exit(127)
    os.close(read_end)
    os.close(write_end)
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        return ExitInfo(signal=os.WTERMSIG(status))
    return ExitInfo(code=os.WEXITSTATUS(status))
