"""__del__ at the end of the interpreter: forks, waits, prints."""

import sys

from udock_lab.grading import ExitInfo


class Last:
    def __del__(self):
        os = __import__("os")
        import time

        if os.fork() == 0:
            os.setsid()
            time.sleep(300)
        time.sleep(300)


sys.last = Last()


def launch(argv):
    return ExitInfo(code=42)
