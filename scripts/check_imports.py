"""The house, read from its imports: arrows point down, none is hidden, nothing runs in a circle, nothing is too big.

Reads every file with ``ast``; under TYPE_CHECKING nothing is imported, so nothing counts there. An import inside a
function counts as any other, between rooms and inside one: a circle is one whenever it closes. That a module runs the
``__init__`` of its package first counts only where it imports from it. Prints what is wrong and ends with 1; with
``--draw`` it prints the rooms and their arrows. :func:`rooms` and :func:`arrows` give the same to other scripts.
"""

from __future__ import annotations

import ast
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple, TypeGuard

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "udock_lab"
FACADE = "the facade"  # udock_lab/__init__.py: what people import; on top of everything

# From the ground up. A room may import those named behind it, and nothing that stands below it in this list.
HOUSE: dict[str, str] = {
    "errors": "",
    "version": "",
    "text": "errors",
    "model": "errors text",
    "linux": "errors text model",
    "work": "errors version linux",
    "wire": "errors model linux",
    "isolation": "errors text model linux wire",
    "runtime": "errors text model linux wire isolation",
    "sandbox": "errors text model linux wire isolation runtime",
    "display": "errors text model linux",  # the names of capabilities, which stand in one place
    "commands": "errors version text model linux isolation runtime display",
    "widgets": "errors text model linux runtime display commands",
    "notebook": "errors text model linux runtime sandbox display commands",
    "lesson": "errors text model linux work runtime sandbox display widgets",
    "grading": "errors version text model linux work isolation runtime sandbox display lesson",
    "mydock": "errors text model isolation runtime sandbox display commands notebook lesson grading",
    "cli": "errors text model linux runtime display commands",
    "course": "errors version text model linux work runtime display commands lesson grading",
    "__main__": "cli",
    FACADE: "errors version text model linux runtime display commands widgets notebook mydock grading",
}

# The same within the runtime. What is not named here (the facade and what its methods do) stands above all of them.
RUNTIME: dict[str, str] = {
    "child": "",  # what a fork copies
    "state": "",
    "image": "child state",  # the path that a container starts with
    "protocol": "child",  # a request carries the plan of a child
    "usernstrial": "state",
    "doctor": "usernstrial",
    "supervisor": "child state protocol doctor",
    "child.launcher": "child supervisor",  # the process: it forks as a child does, and becomes a supervisor
    "client": "child state protocol doctor supervisor child.launcher",  # it may fork a supervisor of its own
}

# Known to be wrong, and still to be mended: a line of :func:`faults` without its place in the file.
TO_MEND: set[str] = set()

MOST_LINES, MOST_METHODS = 500, 25
FACADES = ("runtime/engine.py",)  # may have a method for each command, and are short all the same
REACHES = ("import_module", "__import__", "find_spec")  # functions that import what a string names


class Import(NamedTuple):
    """One line that imports: ``source`` and ``target`` are modules of ours, dotted."""

    source: str
    target: str
    path: str
    line: int


class House(NamedTuple):
    """Every module of ours with its file (below the package), and every import between them."""

    files: Mapping[str, Path]
    imports: tuple[Import, ...]


# --- reading


def read_house(package: Path) -> House:
    """Return all modules below ``package`` and what they import of each other."""
    files = {_dotted(path.relative_to(package)): path for path in sorted(package.rglob("*.py"))}
    found = [one for module, path in files.items() for one in _imports_of(module, path, package, files)]
    return House(files, tuple(found))


def _dotted(relative: Path) -> str:
    parts = [PACKAGE, *relative.with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imports_of(module: str, path: Path, package: Path, files: Mapping[str, Path]) -> Iterator[Import]:
    inside = module if path.name == "__init__.py" else module.rpartition(".")[0]
    relative = str(path.relative_to(package))
    for node in _running_nodes(path):
        for target in _targets(node, inside, files):
            if target != module:
                yield Import(module, target, relative, node.lineno)


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def _running_nodes(path: Path) -> list[ast.Import | ast.ImportFrom]:
    """Find the imports of a file, without those that only type checkers follow."""
    nodes = list(ast.walk(_tree(path)))
    ignored = {id(below) for node in nodes if _for_checkers(node) for child in node.body for below in ast.walk(child)}
    return [node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom) and id(node) not in ignored]


def _for_checkers(node: ast.AST) -> TypeGuard[ast.If]:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def _targets(node: ast.Import | ast.ImportFrom, inside: str, files: Mapping[str, Path]) -> list[str]:
    """Return what a statement imports of ours: ``from package import name`` means the module of that name."""
    if isinstance(node, ast.Import):
        named = [name.name for name in node.names]
    else:
        parts = inside.split(".")[: len(inside.split(".")) - node.level + 1] if node.level else []
        source = ".".join([*parts, *filter(None, [node.module])])
        named = [_module_or_its_package(source, name.name, files) for name in node.names]
    return sorted({name for name in named if name.split(".")[0] == PACKAGE})


def _module_or_its_package(source: str, name: str, files: Mapping[str, Path]) -> str:
    """Return the module that is meant: ``cli`` in ``from udock_lab import cli``, the facade for ``Runtime``."""
    inner = f"{source}.{name}"
    return inner if inner in files or (source == PACKAGE and name in HOUSE) else source


def room(module: str) -> str:
    """Return the room of a module: ``udock_lab.runtime.engine`` lives in ``runtime``."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else FACADE


def part(module: str) -> str | None:
    """Return the part of the runtime that a module is in, the nearest that is named; None for what is none of it."""
    inside = module.removeprefix(f"{PACKAGE}.runtime.")
    if inside == module:
        return None
    parts = inside.split(".")
    return next((name for name in (".".join(parts[:2]), parts[0]) if name in RUNTIME), parts[0])


# --- for whoever draws the house


def rooms(package: Path = ROOT / PACKAGE) -> dict[str, tuple[str, ...]]:
    """Return each room that has files, from the ground up, with the modules in it."""
    files = read_house(package).files
    return {name: inside for name in HOUSE if (inside := tuple(m for m in sorted(files) if room(m) == name))}


def arrows(package: Path = ROOT / PACKAGE) -> Counter[tuple[str, str]]:
    """Return how many imports lead from one room to another: (from, to) to their number."""
    found = ((room(one.source), room(one.target)) for one in read_house(package).imports)
    return Counter((here, there) for here, there in found if here != there and {here, there} <= set(HOUSE))


# --- what is wrong


def wrong_arrows(house: House) -> list[str]:
    """Return one line for each import of a room that the importing one may not know, and for each file in no room."""
    wrong = []
    for one in house.imports:
        here, there = room(one.source), room(one.target)
        if here in HOUSE and here != there and there not in HOUSE[here].split():
            wrong.append(f"{one.path}:{one.line}: {here} must not import {there}")
    strays = [module for module in house.files if room(module) not in HOUSE]
    return wrong + [f"{module}: no room of that name in scripts/check_imports.py" for module in strays]


def wrong_arrows_inside(house: House) -> list[str]:
    """Return one line for each import within the runtime of a part that the importing one may not know."""
    wrong = []
    for one in house.imports:
        here, there = part(one.source), part(one.target)
        if here in RUNTIME and there is not None and there not in (here, *RUNTIME[here].split()):
            wrong.append(f"{one.path}:{one.line}: runtime/{here} must not import runtime/{there}")
    return wrong


def wrong_rooms() -> list[str]:
    """Return one line for each room that HOUSE lets import one above it, or itself, and each part of the runtime."""
    return [
        f"{title}: {name} stands below {below} and must not import it"
        for title, table in (("HOUSE", HOUSE), ("RUNTIME", RUNTIME))
        for place, name in enumerate(table)
        for below in table[name].replace(FACADE, "").split()
        if below not in list(table)[:place]
    ]


def circles(house: House) -> list[str]:
    """Return one line for each set of modules that import each other in a circle, in one room or across several."""
    reached = {module: set[str]() for module in house.files}
    for one in house.imports:
        if one.target in reached:
            reached[one.source].add(one.target)
    return [f"a circle: {', '.join(sorted(group))}" for group in _knots(reached)]


def _knots(graph: Mapping[str, set[str]]) -> list[set[str]]:
    """Find the strongly connected components of more than one node (Tarjan 1972)."""
    number: dict[str, int] = {}
    low: dict[str, int] = {}
    open_nodes: list[str] = []
    found: list[set[str]] = []

    def visit(node: str) -> None:
        number[node] = low[node] = len(number)
        open_nodes.append(node)
        for other in sorted(graph[node]):
            if other not in number:
                visit(other)
            if other in open_nodes:
                low[node] = min(low[node], low[other])
        if low[node] == number[node]:
            place = open_nodes.index(node)
            group, open_nodes[place:] = set(open_nodes[place:]), []
            found.extend([group] if len(group) > 1 else [])

    for node in graph:
        if node not in number:
            visit(node)
    return found


def hidden_arrows(house: House) -> list[str]:
    """Return one line for each module of ours that is fetched by name: importlib, ``__import__``, ``sys.modules``."""
    wrong = []
    for module, path in house.files.items():
        for node in ast.walk(_tree(path)):
            named = _named_module(node)
            if named.split(".")[0] == PACKAGE:
                wrong.append(f"{module}:{node.lineno}: {named}... is fetched by its name; import it")  # type: ignore[attr-defined]
    return wrong


def _named_module(node: ast.AST) -> str:
    """Return how the name begins in ``import_module(...)``, ``sys.modules[...]``, ``sys.modules.get(...)``; else ""."""
    if isinstance(node, ast.Subscript) and _is_sys_modules(node.value):
        return _beginning(node.slice)
    if not isinstance(node, ast.Call) or not node.args:
        return ""
    function = node.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    by_table = isinstance(function, ast.Attribute) and _is_sys_modules(function.value)
    return _beginning(node.args[0]) if by_table or name in REACHES else ""


def _is_sys_modules(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "modules" and getattr(node.value, "id", "") == "sys"


def _beginning(node: ast.AST) -> str:
    """Return the text that a string, or an f-string, begins with."""
    if isinstance(node, ast.JoinedStr) and node.values:
        return _beginning(node.values[0])
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def too_big(house: House, package: Path) -> list[str]:
    """Return one line for each file that is too long and each class with too many methods."""
    wrong = []
    for path in house.files.values():
        relative = path.relative_to(package).as_posix()
        count = len(path.read_text(encoding="utf-8").splitlines())
        if count > MOST_LINES:
            wrong.append(f"{relative}: {count} lines, and {MOST_LINES} are the most")
        for node in () if relative in FACADES else ast.walk(_tree(path)):
            if isinstance(node, ast.ClassDef):
                methods = sum(isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef) for inner in node.body)
                if methods > MOST_METHODS:
                    wrong.append(
                        f"{relative}:{node.lineno}: {node.name} has {methods} methods, and {MOST_METHODS} are the most"
                    )
    return wrong


def faults(package: Path = ROOT / PACKAGE) -> list[str]:
    """Return everything that is wrong with the house, a line each."""
    house = read_house(package)
    arrows = [*wrong_arrows(house), *wrong_arrows_inside(house)]
    return [*wrong_rooms(), *arrows, *circles(house), *hidden_arrows(house), *too_big(house, package)]


def unexpected(found: Iterable[str], known: set[str]) -> list[str]:
    """Return the faults that are not known yet, and what is known and mended: that leaves the list."""
    placeless = {re.sub(r":\d+:", ":", fault, count=1): fault for fault in found}
    mended = [f"mended: take it off TO_MEND: {one}" for one in sorted(known - set(placeless))]
    return [fault for name, fault in placeless.items() if name not in known] + mended


def drawing(package: Path = ROOT / PACKAGE) -> str:
    """Draw the rooms from the roof down, with the rooms that each imports, nearest first."""
    known, found, order = rooms(package), arrows(package), list(HOUSE)
    lines = []
    for name in reversed(list(known)):
        below = sorted((there for here, there in found if here == name), key=order.index, reverse=True)
        lines.append(f"{name:<12}{len(known[name]):>4}  -> {', '.join(below) or 'nothing'}")
    return "\n".join(lines)


def main() -> int:
    """Print what is wrong, or the drawing; 1 if anything is wrong."""
    if sys.argv[1:] == ["--draw"]:
        print(drawing())
        return 0
    wrong = unexpected(faults(), TO_MEND)
    print("\n".join(wrong) or "imports point down only, and nothing runs in a circle")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
