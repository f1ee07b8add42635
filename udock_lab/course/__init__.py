"""``udock-lab`` in a terminal: the course in the hands of a person, learner or lecturer."""

from udock_lab.course.cli import command, main
from udock_lab.course.layout import MANIFEST, lay_out, without_outputs

__all__ = ["MANIFEST", "command", "lay_out", "main", "without_outputs"]
