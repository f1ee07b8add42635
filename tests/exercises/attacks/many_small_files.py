"""More files than anybody wants to collect or to remove."""

import os

from udock_lab.grading import ExitInfo


def launch(argv):
    for number in range(200_000):
        try:
            os.close(os.open(f'file-{number}', os.O_CREAT | os.O_WRONLY))
        except OSError:
            break
    return ExitInfo(code=42)
