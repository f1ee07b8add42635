"""Prints what a good answer would print."""

# misconception: the check reads what is printed
# fails: starts
from udock_lab.grading import ExitInfo


def launch(argv: list[str]) -> ExitInfo:
    print(f"clone -> 4711, execve({argv[0]!r}) = 0")
    return ExitInfo(code=42)
