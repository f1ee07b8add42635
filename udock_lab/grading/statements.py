"""One cell's code, read once: its statements, what each makes, changes, calls and uses; and without some of them.

Nothing runs. Everything is as slow as the text is long; how long a text may be stands in notebook.py.
"""

from __future__ import annotations

import ast
import symtable

from udock_lab.text.unreadable import UNREADABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["Code", "Statement", "as_python", "says_something"]

_DEFINITIONS = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_SCOPES = (*_FUNCTIONS, ast.ClassDef, ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
# Magics whose rest of the line, or of the cell, runs as it stands; and their options that take a value.
_RUNNING = {"time": "", "timeit": "nrp", "prun": "lsTD", "capture": ""}
_MOST_OPTIONS = 10


class Statement:
    """A statement at the top of a cell. ``binds``: names that it makes; ``changes``: whose content it changes."""

    def __init__(self, node: ast.stmt) -> None:
        self.node = node
        self.is_definition = isinstance(node, _DEFINITIONS)
        self.defines = node.name if isinstance(node, (*_FUNCTIONS, ast.ClassDef)) else ""
        self.calls: set[str] = set()  # plain names that are called anywhere in it
        self.uses: set[str] = set()
        has_call = False
        for part in ast.walk(node):
            if isinstance(part, ast.Call):
                has_call = True
                if isinstance(part.func, ast.Name):
                    self.calls.add(part.func.id)
            elif isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load):
                self.uses.add(part.id)
        self.is_constant = isinstance(node, ast.Assign | ast.AnnAssign) and not has_call
        self.binds, self.changes = _made(node)


def _made(statement: ast.stmt) -> tuple[set[str], set[str]]:
    """Return the names that a statement makes, and those whose content it changes, at the top of the notebook."""
    binds: set[str] = set()
    changes: set[str] = set()
    queue: list[ast.AST] = [statement]
    while queue:
        node = queue.pop()
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            binds.add(node.id)
        elif isinstance(node, ast.Attribute | ast.Subscript) and isinstance(node.ctx, ast.Store | ast.Del):
            changes.add(_root(node))
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            changes.add(_root(node.value.func) if isinstance(node.value.func, ast.Attribute) else "")
        elif isinstance(node, ast.Import | ast.ImportFrom):
            binds |= set(_imported(node))
        elif isinstance(node, (*_FUNCTIONS, ast.ClassDef)):
            binds.add(node.name)
        if not isinstance(node, _SCOPES):
            queue += ast.iter_child_nodes(node)
    return binds, changes - {""}


def _root(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _imported(node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    for alias in node.names:
        yield alias.asname or alias.name.partition(".")[0]


class Code:
    """A cell's code. ``readable`` is False where Python cannot read it; then it has no statements.

    ``functions``: of each function at its top, which names of the notebook it uses; ``used``: what all functions and
    classes use; ``imported``: names of modules; ``futures``: features that it imports from ``__future__``.
    """

    def __init__(self, text: str) -> None:
        self.text, body = _read(as_python(text))
        self.readable = body is not None
        self.futures: list[str] = []
        body = self._take_futures(body or [])
        self.statements = [Statement(node) for node in body]
        self.imported = {name for node in body if isinstance(node, ast.Import) for name in _imported(node)}
        self.functions, self.used = self._names(body)
        for node in body:
            self.used |= set(_beside_the_body(node))

    def _take_futures(self, body: list[ast.stmt]) -> list[ast.stmt]:
        """Take ``from __future__ import ...`` out: all cells of a notebook have them together."""
        found = [node for node in body if isinstance(node, ast.ImportFrom) and node.module == "__future__"]
        self.futures += [alias.name for node in found for alias in node.names]
        if not found:
            return body
        self.text = _without(self.text, found)
        gone = set(map(id, found))
        return [node for node in body if id(node) not in gone]

    def _names(self, body: list[ast.stmt]) -> tuple[dict[str, set[str]], set[str]]:
        functions: dict[str, set[str]] = {}
        used: set[str] = set()
        try:
            tables = symtable.symtable(self.text, "<cell>", "exec").get_children()
        except UNREADABLE:
            tables = []
        for table in tables:
            names = _globals_below(table)
            used |= names
            functions[table.get_name()] = names
        defined = {node.name for node in body if isinstance(node, _FUNCTIONS)}
        return {name: names for name, names in functions.items() if name in defined}, used

    def without(self, nodes: Iterable[ast.stmt]) -> str:
        """Return the text with ``pass`` in the place of some of its statements; every line keeps its number."""
        return _without(self.text, nodes)


def _beside_the_body(node: ast.stmt) -> Iterator[str]:
    """Yield names that a definition uses where it stands: decorators, defaults, annotations, bases."""
    if not isinstance(node, (*_FUNCTIONS, ast.ClassDef)):
        return
    beside: list[ast.AST] = [*node.decorator_list]
    beside += (
        [*node.bases, *node.keywords] if isinstance(node, ast.ClassDef) else [node.args, node.returns or node.args]
    )
    for part in beside:
        yield from (one.id for one in ast.walk(part) if isinstance(one, ast.Name))


def _globals_below(table: symtable.SymbolTable) -> set[str]:
    """Return names of the notebook that a function or class uses, and what is inside it."""
    found: set[str] = set()
    queue = [table]
    for one in queue:  # grows
        found |= {symbol.get_name() for symbol in one.get_symbols() if symbol.is_referenced() and symbol.is_global()}
        queue += one.get_children()
    return found


def _read(text: str) -> tuple[str, list[ast.stmt] | None]:
    try:
        return text, ast.parse(text).body
    except UNREADABLE:
        return text, None


def says_something(text: str) -> bool:
    """Return whether any line is more than ``pass``, or a comment."""
    return any(line.strip().split("#")[0].strip(" ;") not in ("", "pass") for line in text.split("\n"))


def _without(text: str, nodes: Iterable[ast.stmt]) -> str:
    data = text.encode()
    starts = [0]
    for line in data.split(b"\n"):
        starts.append(starts[-1] + len(line) + 1)
    pieces: list[bytes] = []
    at, owed = 0, 0  # lines that were left out, to be made up for at the end of this one
    for node in nodes:
        first = starts[node.lineno - 1] + node.col_offset
        between, end, after = data[at:first].partition(b"\n")
        pieces += [between, b"\n" * owed if end else b"", end, after, b"pass"]
        owed = (0 if end else owed) + (node.end_lineno or node.lineno) - node.lineno
        at = starts[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0)
    rest, end, after = data[at:].partition(b"\n")
    return b"".join([*pieces, rest, b"\n" * owed, end, after]).decode()


# --- the notebook's own language


def as_python(text: str) -> str:
    """Turn lines of the notebook's own language into ``pass``, so that lines keep their numbers.

    What a notebook runs all the same stays: the code behind ``%time``, the cell below ``%%capture``. Most cell magics
    take all of the cell elsewhere.
    """
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    if _read(text)[1] is not None:
        return text
    start = text.lstrip()
    if start.startswith("%%"):
        name = start[2:].split(None, 1)[:1]
        if not name or name[0] not in _RUNNING or start[2:3].isspace():
            return ""
    return "\n".join(map(_line, text.split("\n")))


def _line(line: str) -> str:
    """Turn one line into ``pass``, which keeps a block whole that had nothing else, or into the code that it runs."""
    code = line.lstrip()
    indent = line[: len(line) - len(code)]
    target, sign, value = line.partition("=")
    if sign and value.lstrip()[:1] in ("%", "!") and _is_names(target):
        return f"{target}= None  # {value.lstrip()}"
    if code.startswith("%") and not code.startswith("%%"):
        return f"{indent}{_run_by(code[1:]) or f'pass  # {code}'}"
    if code.startswith(("%", "!", "?")) or _is_help(code):
        return f"{indent}pass  # {code}"
    return line


def _is_names(target: str) -> bool:
    return bool(target.strip()) and all(sign.isalnum() or sign in "_, \t" for sign in target)


def _is_help(code: str) -> bool:
    word = code.strip()
    name = word.rstrip("?")
    return word != name and len(word) - len(name) <= 2 and name.replace("_", "a").replace(".", "a").isalnum()


def _run_by(magic: str) -> str:
    """Return the code that a line magic runs in the notebook; empty if it runs none, or none that is a whole."""
    name, _, rest = magic.partition(" ")
    if name not in _RUNNING:
        return ""
    rest = rest.lstrip()
    for _ in range(_MOST_OPTIONS):
        if not rest.startswith("-"):
            break
        option, _, rest = rest.partition(" ")
        if len(option) == 2 and option[1] in _RUNNING[name]:
            rest = rest.lstrip().partition(" ")[2]
        rest = rest.lstrip()
    return rest if rest and _read(rest)[1] else ""
