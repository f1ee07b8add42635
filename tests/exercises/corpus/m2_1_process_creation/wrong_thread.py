"""A thread for the program."""

# misconception: a thread is a second process
# fails: starts
import os
import threading

from udock_lab.grading import ExitInfo


def launch(argv: list[str]) -> ExitInfo:
    worker = threading.Thread(target=os.execv, args=(argv[0], argv))
    worker.start()
    worker.join()
    return ExitInfo(code=0)
