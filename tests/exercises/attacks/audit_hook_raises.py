"""An audit hook that raises at everything."""

import sys

from udock_lab.grading import ExitInfo


def launch(argv):
    def hook(event, args):
        raise RuntimeError("no")

    sys.addaudithook(hook)
    return ExitInfo(code=42)
