"""The errno is guessed from the exit code."""

# misconception: the exit code carries the reason
# fails: found
import errno
import os

from udock_lab.grading import ExitInfo


def run(argv: list[str]) -> ExitInfo:
    """Run the program argv[0] with the words argv; say how it ended, or why it did not start."""
    pid = os.fork()
    if pid == 0:
        try:
            os.execve(argv[0], argv, os.environ)
        except FileNotFoundError:
            os._exit(127)
        except OSError:
            os._exit(126)
        finally:
            os._exit(125)
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        return ExitInfo(signal=os.WTERMSIG(status))
    code = os.WEXITSTATUS(status)
    reasons = {127: errno.ENOENT, 126: errno.EACCES}
    return ExitInfo(code=code, errno=reasons.get(code))
