"""execs without a fork."""

# misconception: exec makes a process
# fails: ended
import os

from udock_lab.grading import ExitInfo


def run(argv: list[str]) -> ExitInfo:
    try:
        os.execv(argv[0], argv)
    except OSError as error:
        return ExitInfo(code=127 if error.errno == 2 else 126, errno=error.errno)
