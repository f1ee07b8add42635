"""Returns, and keeps at hand, objects whose pickle runs a command."""

import os

from udock_lab.grading import ExitInfo


def launch(argv):
    class Bomb:
        def __reduce__(self):
            return os.system, ("touch @home@/owned",)

        def __repr__(self):
            return "__import__('os').system('touch @home@/owned')"
    return ExitInfo(Bomb(), Bomb(), Bomb())
    return ExitInfo(code=42)
