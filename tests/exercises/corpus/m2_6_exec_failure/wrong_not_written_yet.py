"""Nothing yet."""

# misconception: the statement is enough
# fails: ended
from udock_lab.grading import ExitInfo


def run(argv: list[str]) -> ExitInfo:
    raise NotImplementedError
