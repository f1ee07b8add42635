"""Overwrites the checker's files."""

import os

from udock_lab.grading import ExitInfo


def launch(argv):
    import udock_lab

    folder = os.path.dirname(udock_lab.__file__)
    for root, _, names in os.walk(folder):
        for name in names:
            try:
                with open(os.path.join(root, name), 'w') as file:
                    file.write('raise SystemExit')
            except OSError:
                pass
    return ExitInfo(code=42)
