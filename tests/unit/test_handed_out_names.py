"""Lessons and exercises that learners already have find every name of this package that they use.

``udock-lab start`` never writes over a notebook its reader has changed, so copies of each version that was handed out
are in use for as long as a course runs, whatever package is installed beside them. ``tests/handed_out/<version>/``
keeps them byte for byte. Here they are only read: what they import has to be there, what they call has to take the
words they give, and what they get has to have the attributes they ask for, as far as its type is known.
``tests/notebooks/test_handed_out_notebooks.py`` executes them.

A name that fails here was moved or renamed: let its old module import it from the new one.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from IPython.core.inputtransformer2 import TransformerManager

HANDED_OUT = Path(__file__).resolve().parents[1] / "handed_out"
NOTEBOOKS = sorted(HANDED_OUT.glob("*/**/*.ipynb"))
PACKAGE = "udock_lab"


class Use(NamedTuple):
    """``module``'s attribute ``path`` (dotted, empty for the module itself), called with ``keywords`` if it is."""

    module: str
    path: str
    keywords: tuple[str, ...] | None = None


def programs(notebook: Path) -> Iterator[str]:
    """The Python of each cell; the one below a ``%%`` line follows it as a program of its own."""
    for cell in json.loads(notebook.read_text())["cells"]:
        if cell["cell_type"] != "code":
            continue
        source = "".join(cell["source"])
        yield TransformerManager().transform_cell(source)
        if source.startswith("%%sandbox"):
            yield source.partition("\n")[2]


def uses(source: str) -> Iterator[Use]:
    """What a notebook's program takes from this package: imports, then attributes and calls of what was imported."""
    tree = ast.parse(source)
    bound: dict[str, Use] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and _ours(node.module):
            for name in node.names:
                bound[name.asname or name.name] = Use(str(node.module), name.name)
        elif isinstance(node, ast.Import):
            for name in filter(lambda name: _ours(name.name), node.names):
                yield Use(name.name, "")
                bound[name.asname or PACKAGE] = Use(name.name if name.asname else PACKAGE, "")
    yield from bound.values()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and (use := _resolved(node, bound)):
            yield use
        elif isinstance(node, ast.Call) and (use := _resolved(node.func, bound)):
            yield use._replace(keywords=tuple(word.arg for word in node.keywords if word.arg))


def _ours(module: str | None) -> bool:
    return module is not None and module.partition(".")[0] == PACKAGE


def _resolved(node: ast.expr, bound: dict[str, Use]) -> Use | None:
    """``a.b.c`` where ``a`` was imported from this package."""
    if isinstance(node, ast.Name):
        return bound.get(node.id)
    if isinstance(node, ast.Attribute) and (of := _resolved(node.value, bound)):
        return of._replace(path=f"{of.path}.{node.attr}".lstrip("."))
    return None


def found(use: Use) -> Any:
    """What a use means with the package that is installed now; ImportError or AttributeError as a cell would get."""
    value = importlib.import_module(use.module)
    for number, name in enumerate(filter(None, use.path.split("."))):
        if number == 0 and not hasattr(value, name):  # a submodule, or nothing
            importlib.import_module(f"{use.module}.{name}")
        value = getattr(value, name)
    return value


def missing(use: Use) -> str | None:
    """What is wrong with a use, in words."""
    try:
        value = found(use)
    except (ImportError, AttributeError) as error:
        return f"{use.module}: {use.path or 'the module itself'} is gone ({error})"
    if use.keywords:
        parameters = inspect.signature(value).parameters.values()
        taken = {parameter.name for parameter in parameters if parameter.kind is not parameter.POSITIONAL_ONLY}
        any_word = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters)
        if not any_word and (lost := sorted(set(use.keywords) - taken)):
            return f"{use.module}: {use.path} takes no {', '.join(lost)} any more"
    return None


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: str(path.relative_to(HANDED_OUT)))
def test_a_notebook_handed_out_finds_every_name_it_imports(notebook: Path) -> None:
    used = {use for program in programs(notebook) for use in uses(program)}
    assert used, "nothing was read from this notebook"
    assert sorted(filter(None, map(missing, used))) == []


def test_this_version_is_among_those_kept() -> None:
    """Make the copy when a version is handed out: ``notebooks/``, and ``exercises/release/`` as ``exercises/``."""
    kept = {path.relative_to(HANDED_OUT).parts[0] for path in NOTEBOOKS}
    assert "0.1.0" in kept
    assert {path.parts[-2] for path in NOTEBOOKS} >= {"notebooks", "m2_1_process_creation"}


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("import udock_lab.nowhere", "udock_lab.nowhere: the module itself is gone"),
        ("from udock_lab.runtime.steps import Nothing", "udock_lab.runtime.steps: Nothing is gone"),
        ("import udock_lab.errors as e\ne.Nothing", "udock_lab.errors: Nothing is gone"),
        ("from udock_lab import Runtime\nRuntime(spare=False, lost=1)", "udock_lab: Runtime takes no lost any more"),
        ("from udock_lab import sandbox\nsandbox.run(print, lost=1)", "udock_lab: sandbox.run takes no lost any more"),
        ("def f():\n    from udock_lab.lesson import lost", "udock_lab.lesson: lost is gone"),
    ],
)
def test_a_name_that_is_gone_is_named(program: str, said: str) -> None:
    (found,) = {text for use in uses(program) if (text := missing(use))}
    assert found.startswith(said)


# --- attributes of what a call returns: mypy reads each notebook as one program

ROOT = HANDED_OUT.parents[1]
GIVEN = """# mypy: allow-redefinition
from typing import Any
from udock_lab.model import RunResult, SandboxResult
def get_ipython() -> Any: ...
def display(*what: object) -> None: ...
"""
ERROR = re.compile(r"^(?:.*/)?(?P<where>[^/:]+:\d+): error: (?P<text>.*)  \[(?:attr-defined|union-attr|call-arg)\]$")
OF_SOME = re.compile(r'Item "(?P<one>[^"]+)" of "(?P<all>[^"]+)" (?P<lacks>.*)')
NOT_OURS = (
    '"object" has no',
    "does not explicitly export",
)  # a value from a sandbox; a name that is there all the same


def typed(notebook: Path) -> str:
    """A notebook as one program, in which magics return what they return."""
    cells = []
    for cell in json.loads(notebook.read_text())["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] != "code":
            continue
        first = source.partition("\n")[0]
        if first.startswith("%%"):
            kept = re.search(r"^%%sandbox.* -o (\w+)", first)
            cells.append(f"{kept[1]}: SandboxResult\n" if kept else "")
        else:
            cells.append(TransformerManager().transform_cell(source))
    runs = re.compile(r"^(\w+)( = get_ipython\(\)\.run_line_magic\('mdock', [\"']run )", re.MULTILINE)
    return GIVEN + runs.sub(r"\1: RunResult\2", "".join(cells))


def lacking(said: str) -> set[str]:
    """What no type that a value may have there has, of mypy's errors: ``file:line: text``.

    Folders are left out: what mypy's cache remembers of an earlier run names that run's.
    """
    found, some = set(), defaultdict(set)
    for error in filter(None, map(ERROR.match, said.splitlines())):
        if any(words in error["text"] for words in NOT_OURS):
            continue
        if item := OF_SOME.match(error["text"]):
            some[error["where"], item["all"], item["lacks"]].add(item["one"])
        else:
            found.add(f"{error['where']}: {error['text']}")
    for (where, kinds, lacks), without in some.items():
        if without >= {*kinds.split(" | ")} - {"None"}:
            found.add(f"{where}: {kinds} {lacks}")
    return found


def test_what_notebooks_handed_out_ask_of_results_is_there(tmp_path: Path) -> None:
    broken = (
        GIVEN
        + "def f(run: RunResult, either: RunResult | SandboxResult) -> None:\n    run.lost; either.lost; either.value\n"
    )
    (tmp_path / "broken.py").write_text(broken)
    for notebook in NOTEBOOKS:
        name = re.sub(r"\W", "_", str(notebook.relative_to(HANDED_OUT).with_suffix("")))
        (tmp_path / f"of_{name}.py").write_text(typed(notebook))
    command = [sys.executable, "-m", "mypy", *sorted(map(str, tmp_path.glob("*.py")))]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=110)
    assert done.returncode == 1, done.stdout + done.stderr  # 2: mypy itself could not go on
    assert lacking(done.stdout) == {
        'broken.py:7: "RunResult" has no attribute "lost"',
        'broken.py:7: RunResult | SandboxResult has no attribute "lost"',
    }
