"""Every module is replaced by something that is none."""

import sys

from udock_lab.grading import ExitInfo


def launch(argv):
    class Nothing:
        def __getattr__(self, name):
            raise SystemExit(0)

    for name in list(sys.modules):
        sys.modules[name] = Nothing()
    sys.meta_path.clear()
    sys.path_hooks.clear()
    sys.path.clear()
    return ExitInfo(code=42)
