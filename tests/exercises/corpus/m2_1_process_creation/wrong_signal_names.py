"""Each signal gets its name."""

# misconception: every signal has a name in Python
# fails: signal
import os
import signal

from udock_lab.grading import ExitInfo


def launch(argv):
    pid = os.fork()
    if pid == 0:
        try:
            os.execv(argv[0], argv)
        except OSError:
            os._exit(127)
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        return ExitInfo(signal=signal.Signals(os.WTERMSIG(status)))
    return ExitInfo(code=os.WEXITSTATUS(status))
