"""Where chroot is refused: the program is looked up inside the root all the same."""

from __future__ import annotations

import os

from udock_lab.isolation.step import Child
from udock_lab.linux.resolve import resolve_in_root, shebang

__all__ = ["from_inside"]


def from_inside(child: Child, path: str, argv: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """Return the program's path on this machine, and its arguments; a script's interpreter is looked up, too."""
    program = resolve_in_root(child.rootfs, path, child.workdir)
    line = shebang(program) if os.access(program, os.X_OK) else None
    if line is None:
        return program, argv
    interpreter, argument = line
    return (
        resolve_in_root(child.rootfs, interpreter, child.workdir),
        (interpreter, *([argument] if argument else []), program, *argv[1:]),
    )
