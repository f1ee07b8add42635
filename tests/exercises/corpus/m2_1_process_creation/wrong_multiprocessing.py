"""multiprocessing forks and waits."""

# misconception: whatever forks inside is as good as fork
# fails: starts
import multiprocessing as mp
import os

from udock_lab.grading import ExitInfo


def _child(argv):
    try:
        os.execv(argv[0], argv)
    except OSError:
        os._exit(127)


def launch(argv):
    process = mp.get_context("fork").Process(target=_child, args=(argv,))
    process.start()
    process.join()
    code = process.exitcode
    return ExitInfo(code=code) if code >= 0 else ExitInfo(signal=-code)
