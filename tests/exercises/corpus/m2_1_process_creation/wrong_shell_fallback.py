"""What execve refuses is given to a shell."""

# misconception: a file without a header is a shell script
# fails: stays
import errno
import os

from udock_lab.grading import ExitInfo


def launch(argv):
    pid = os.fork()
    if pid == 0:
        try:
            os.execv(argv[0], argv)
        except OSError as e:
            if e.errno == errno.ENOEXEC:
                os.execv("/bin/sh", ["sh", *argv])
            os._exit(127)
    _, status = os.waitpid(pid, 0)
    return ExitInfo(code=os.WEXITSTATUS(status)) if os.WIFEXITED(status) else ExitInfo(signal=os.WTERMSIG(status))
