"""The names that lessons and exercises use: functions, flags, methods, kinds of statement. Read from their code.

A name is a short text: ``os.fork``, ``.encode``, ``except``, ``finally``, ``"rb"``. :func:`of_code` finds those in
Python, :func:`of_text` those in the code that a text quotes, :func:`of_notebook` both in a notebook.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MODULES = frozenset(
    {"errno", "fcntl", "os", "re", "resource", "signal", "socket", "subprocess", "sys", "tempfile", "time"}
)
STATEMENTS: dict[type[ast.AST], str] = {
    ast.Lambda: "lambda",
    ast.NamedExpr: ":=",
    ast.Yield: "yield",
    ast.ClassDef: "class",
    ast.Global: "global",
    ast.Nonlocal: "nonlocal",
    ast.Match: "match",
    ast.AsyncFunctionDef: "async",
    ast.Await: "await",
}
INLINE = re.compile(r"`([^`\n]+)`")
FENCED = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```", re.DOTALL | re.MULTILINE)
MAGIC = re.compile(r"^(\s*)(?:[%!].*|(\w+) = [%!].*)$", re.MULTILINE)

Cell = dict[str, Any]


def of_code(source: str) -> set[str]:
    """Return the names in Python code; none where it is no Python. Magics are left out."""
    lines = source.split("\n")
    if lines[0].startswith("%%"):
        if not lines[0].startswith("%%sandbox"):
            return set()
        lines = lines[1:]
    try:
        tree = ast.parse(MAGIC.sub(r"\1pass", "\n".join(lines)))
    except (SyntaxError, ValueError):
        return set()
    return set(_names(tree))


def _names(tree: ast.Module) -> Iterator[str]:
    imported = dict(_imported(tree))
    own = {node.name for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            of_module = isinstance(node.value, ast.Name) and node.value.id in MODULES
            yield f"{ast.unparse(node.value)}.{node.attr}" if of_module else f".{node.attr}"
        elif isinstance(node, ast.Name) and node.id in imported:
            yield imported[node.id]
        elif isinstance(node, ast.Call):
            yield from _of_call(node, own)
        elif isinstance(node, ast.Try):
            yield from ["finally"] * bool(node.finalbody)
            for handler in node.handlers:
                yield f"except {ast.unparse(handler.type) if handler.type else ''}".strip()
        elif isinstance(node, ast.Raise):
            yield "raise" if node.exc is None else "raise ..."
        elif isinstance(node, ast.Constant) and isinstance(node.value, bytes):
            yield "bytes"
        if type(node) in STATEMENTS:
            yield STATEMENTS[type(node)]


def _imported(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module in MODULES:
            yield from ((alias.asname or alias.name, f"{node.module}.{alias.name}") for alias in node.names)


def _of_call(node: ast.Call, own: set[str]) -> Iterator[str]:
    if isinstance(node.func, ast.Name) and node.func.id not in own:
        yield f"{node.func.id}()"
        if node.func.id == "open":
            modes = [*node.args[1:2], *(word.value for word in node.keywords if word.arg == "mode")]
            words = [mode.value for mode in modes if isinstance(mode, ast.Constant)]
            yield from (f'"{word}"' for word in words if isinstance(word, str))
    yield from (f"{word.arg}=" for word in node.keywords if word.arg)


def of_text(text: str) -> set[str]:
    """Return the names in the code that a text quotes, in a line or in a block of Python."""
    found: set[str] = set()
    for language, block in FENCED.findall(text):
        found |= of_code(block) if language in ("python", "") else set()
    for quoted in INLINE.findall(FENCED.sub("", text)):
        method = re.match(r"\.\w+", quoted)
        found |= of_code(quoted) | {quoted} | ({method[0]} if method else set())
    return found


def of_notebook(path: Path) -> set[str]:
    """Return all names of a notebook: what its cells run, what its texts quote, and the lines of its orders."""
    found: set[str] = set()
    for cell in json.loads(path.read_text())["cells"]:
        source = "".join(cell["source"])
        found |= of_text(source) if cell["cell_type"] == "markdown" else of_code(source) | of_order(source)
    return found


def of_order(source: str) -> set[str]:
    """Return the names in the lines that a put_in_order task shows."""
    if not re.search(r"^\w+ = put_in_order\(", source, re.MULTILINE):
        return set()
    strings = (node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant))
    return set().union(*(of_code(line.strip()) for line in strings if isinstance(line, str)))
