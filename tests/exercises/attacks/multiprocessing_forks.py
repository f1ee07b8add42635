"""multiprocessing calls os.fork for us."""

import multiprocessing
import os

from udock_lab.grading import ExitInfo


def launch(argv):
    made = multiprocessing.get_context("fork").Process(target=os.execv, args=(argv[0], argv))
    made.start()
    made.join()
    code = made.exitcode
    return ExitInfo(signal=-code) if code < 0 else ExitInfo(code=127 if code == 1 else code)
