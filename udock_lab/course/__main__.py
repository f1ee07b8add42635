"""``python -m udock_lab.course``: the same as ``udock-lab``."""

from udock_lab.course.cli import command

command()
