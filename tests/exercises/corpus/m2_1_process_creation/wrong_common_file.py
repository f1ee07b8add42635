"""The result goes through a file of one name, which ten at once share."""

# misconception: nobody else runs at the same time
# fails: many
import os
import time

from udock_lab.grading import ExitInfo


def launch(argv: list[str]) -> ExitInfo:
    pid = os.fork()
    if pid == 0:
        try:
            os.execv(argv[0], argv)
        finally:
            os._exit(127)
    _, status = os.waitpid(pid, 0)
    with open("status", "w") as file:
        file.write(str(status))
    time.sleep(0.2)
    with open("status") as file:
        status = int(file.read())
    if os.WIFSIGNALED(status):
        return ExitInfo(signal=os.WTERMSIG(status))
    return ExitInfo(code=os.WEXITSTATUS(status))
