"""Nothing yet."""

# misconception: the statement is enough
# fails: missing
from udock_lab.grading import ExitInfo


def run(home: str, image: str, argv: list[str]) -> ExitInfo:
    raise NotImplementedError
