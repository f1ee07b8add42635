"""The code as a plain number."""

# misconception: an exit is a number; there is no other end
# fails: code
import os


def launch(argv: list[str]) -> int:
    pid = os.fork()
    if pid == 0:
        try:
            os.execv(argv[0], argv)
        finally:
            os._exit(127)
    _, status = os.waitpid(pid, 0)
    return os.WEXITSTATUS(status)
