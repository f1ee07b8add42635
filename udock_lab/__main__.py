"""``python -m udock_lab`` is ``mdock``."""

from udock_lab.cli import command

command()
