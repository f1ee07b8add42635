"""The function as it is handed out."""

# misconception: none yet; nothing has been written
# fails: starts
import os

from udock_lab.grading import ExitInfo


def launch(argv: list[str]) -> ExitInfo:
    raise NotImplementedError
