"""Imports point down only: faces -> commands, sandbox -> runtime -> linux; display knows only the model.

Reads every import with ``ast``, those inside functions too, and ends with 1 if an arrow points up.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ALLOWED = {
    "errors": set(),
    "model": {"errors"},
    "linux": {"errors", "model"},
    "runtime": {"errors", "model", "linux"},
    "display": {"errors", "model"},
    "commands": {"errors", "model", "display", "runtime", "linux"},
    "sandbox": {"errors", "model", "display", "runtime", "linux"},
}


def room(module: str) -> str:
    """``udock_lab.runtime.engine`` lives in the room ``runtime``."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else ""


def imports(path: Path) -> list[tuple[int, str]]:
    """(line, room) of each import of ours."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "udock_lab":
            names = [node.module] if node.module != "udock_lab" else [f"udock_lab.{n.name}" for n in node.names]
            found += [(node.lineno, room(name)) for name in names if not room(name).startswith("__")]
        elif isinstance(node, ast.Import):
            found += [(node.lineno, room(n.name)) for n in node.names if n.name.split(".")[0] == "udock_lab"]
    return found


def wrong_arrows(package: Path) -> list[str]:
    """One line for each import that points up."""
    wrong = []
    for path in sorted(package.rglob("*.py")):
        relative = path.relative_to(package)
        here = relative.parts[0].removesuffix(".py")
        if here not in ALLOWED:
            continue  # a face may import anything
        wrong += [
            f"{relative}:{line}: {here} must not import {there}"
            for line, there in imports(path)
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
