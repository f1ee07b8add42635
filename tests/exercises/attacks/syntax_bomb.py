"""Deep nesting that only the compiler sees."""

from udock_lab.grading import ExitInfo

X = eval("(" * 150 + ")" * 150)
exec("if 1:\n" + "".join(" " * n + "if 1:\n" for n in range(1, 95)) + " " * 96 + "pass")


def launch(argv):
    return ExitInfo(code=eval("-" * 100000 + "1"))
