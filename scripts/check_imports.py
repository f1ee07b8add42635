"""Imports point down only: faces -> commands, sandbox -> runtime -> linux; display knows only the model.

Reads every import with ``ast``, those inside functions too (under TYPE_CHECKING nothing is imported), and ends
with 1 if an arrow points up.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import TypeGuard

ROOT = Path(__file__).resolve().parent.parent
ALLOWED: dict[str, set[str]] = {
    "errors": set(),
    "arguments": {"errors"},
    "model": {"arguments", "errors", "findings"},
    "findings": {"errors", "model"},
    "linux": {"errors", "model"},
    "isolation": {"errors", "model", "linux"},
    "wire": {"errors", "model", "linux"},
    "runtime": {"arguments", "errors", "model", "linux", "isolation", "wire"},
    "display": {"errors", "model"},
    "commands": {"arguments", "errors", "model", "display", "runtime", "linux"},
    "sandbox": {"errors", "model", "display", "runtime", "linux", "isolation", "wire"},
}


def room(module: str) -> str:
    """``udock_lab.runtime.engine`` lives in the room ``runtime``."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else ""


def imports(path: Path, package: str) -> list[tuple[int, str]]:
    """(line, room) of each import of ours in a file of ``package`` (dotted); for type checkers only do not count."""
    tree = ast.parse(path.read_text())
    typing_only = [child for node in ast.walk(tree) if _for_checkers(node) for child in node.body]
    ignored = {id(below) for child in typing_only for below in ast.walk(child)}
    found = []
    for node in ast.walk(tree):
        if id(node) in ignored:
            continue
        if isinstance(node, ast.ImportFrom):
            found += [(node.lineno, room(name)) for name in _sources(node, package)]
        elif isinstance(node, ast.Import):
            found += [(node.lineno, room(n.name)) for n in node.names if n.name.split(".")[0] == "udock_lab"]
    return [(line, name) for line, name in found if not name.startswith("__")]


def _for_checkers(node: ast.AST) -> TypeGuard[ast.If]:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def _sources(node: ast.ImportFrom, package: str) -> list[str]:
    """The modules of ours that a ``from ... import`` reads, relative ones spelt out."""
    module = node.module or ""
    if node.level:
        parent = package.split(".")[: len(package.split(".")) - node.level + 1]
        module = ".".join([*parent, *filter(None, [module])])
    if module.split(".")[0] != "udock_lab":
        return []
    return [f"udock_lab.{name.name}" for name in node.names] if module == "udock_lab" else [module]


def wrong_arrows(package: Path) -> list[str]:
    """One line for each import that points up."""
    wrong = []
    for path in sorted(package.rglob("*.py")):
        relative = path.relative_to(package)
        here = relative.parts[0].removesuffix(".py")
        if here not in ALLOWED:
            continue  # a face may import anything
        dotted = ".".join(["udock_lab", *relative.parts[:-1]])
        wrong += [
            f"{relative}:{line}: {here} must not import {there}"
            for line, there in imports(path, dotted)
            if there not in (ALLOWED[here] | {here})
        ]
    return wrong


def main() -> int:
    """Print the wrong arrows; 1 if there are any."""
    wrong = wrong_arrows(ROOT / "udock_lab")
    print("\n".join(wrong) or "imports point down only")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
