"""rm -rf of home and of the course."""

import os
import shutil

from udock_lab.grading import ExitInfo


def launch(argv):
    for folder in ('@home@', '@course@', os.path.expanduser('~'), '/home', '/root', '/'):
        shutil.rmtree(folder, ignore_errors=True)
    return ExitInfo(code=42)
