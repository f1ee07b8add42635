"""A value that contains itself."""

from udock_lab.grading import ExitInfo


def launch(argv):
    a = []
    a.append(a)
    d = {}
    d[1] = d
    return ExitInfo(a, d, None)
