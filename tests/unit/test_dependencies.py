"""What ``pyproject.toml`` asks for is what the package imports, and every way in installs the same."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections import Counter
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
OPTIONAL: dict[str, list[str]] = PROJECT["optional-dependencies"]
KITS_OWN = {"ipywidgets", "jupyterlab", "matplotlib", "nbval", "psutil"}


def names(requirements: list[str]) -> list[str]:
    """Without bounds: ``nbval>=0.11`` is nbval."""
    return [re.split(r"[\[<>=!~; ]", requirement)[0].lower() for requirement in requirements]


def installed_by(words: str) -> set[str]:
    """What pip installs for ``.``, ``udock-lab`` or either with extras in brackets, without what those bring."""
    extras = re.search(r"\[(.+?)\]", words)
    optional = [requirement for extra in (extras[1].split(",") if extras else []) for requirement in OPTIONAL[extra]]
    return {*PROJECT["dependencies"], *optional}


def imported() -> set[str]:
    """The packages of others that udock_lab imports, by their modules' names."""
    found = set()
    for path in (ROOT / "udock_lab").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                found.add(node.module.split(".")[0])
    return found - sys.stdlib_module_names - {"__future__", "udock_lab"}


def test_what_the_package_imports_is_asked_for() -> None:
    asked = set(names([*PROJECT["dependencies"], *OPTIONAL["grade"], *OPTIONAL["cluster"]]))
    brought_by = packages_distributions()
    missing = {module for module in imported() if asked.isdisjoint(name.lower() for name in brought_by[module])}
    assert missing == set()


def test_only_grading_imports_what_grading_alone_asks_for() -> None:
    only = set(names([*OPTIONAL["grade"], *OPTIONAL["cluster"]]))
    others = [path for path in (ROOT / "udock_lab").rglob("*.py") if "grading" not in path.parts]
    wrong = [
        path.name
        for path in others
        if re.search(rf"^\s*(?:from|import) (?:{'|'.join(only)})\b", path.read_text(), re.M)
    ]
    assert wrong == []


def test_nothing_is_asked_for_twice_with_two_bounds() -> None:
    asked = [*PROJECT["dependencies"], *(requirement for extra in OPTIONAL.values() for requirement in extra)]
    assert [name for name, times in Counter(names(asked)).items() if times > 1] == []


def test_every_bound_is_a_lower_one() -> None:
    asked = [*PROJECT["dependencies"], *OPTIONAL["cluster"], *OPTIONAL["grade"], *OPTIONAL["lab"]]
    assert [requirement for requirement in asked if not re.fullmatch(r"[\w-]+>=[\d.]+", requirement)] == []


def test_the_kits_own_programs_come_without_an_extra() -> None:
    assert set(names(PROJECT["dependencies"])) >= KITS_OWN


def test_make_lab_start_and_binder_install_the_same_set_and_so_does_the_extra_called_lab() -> None:
    makefile = (ROOT / "Makefile").read_text()
    lab = re.search(r"^\$\(VENV\)/\.installed:.*\n(?:\t.*\n)*?\t.*pip install .*--editable (\S+)$", makefile, re.M)
    told = [
        words
        for path in (ROOT / "udock_lab").rglob("*.py")
        for words in re.findall(r"pip install ([^\s\"]+)\"", path.read_text())
    ]
    readme = re.findall(r"`%?pip install (?:-q )?(\S+?)`", (ROOT / "README.md").read_text())
    lines = (ROOT / "binder/requirements.txt").read_text().splitlines()
    binder = [line for line in lines if not line.startswith("#")]
    assert lab and told and len(readme) >= 2 and len(binder) == 1
    ways = [lab[1], *told, *readme, *binder, "udock-lab[lab]"]
    assert {frozenset(installed_by(words)) for words in ways} == {frozenset(PROJECT["dependencies"])}


@pytest.mark.parametrize("module", ["jupyterlab", "matplotlib", "numpy"])
def test_what_the_lessons_and_their_start_need_is_brought_by_the_base(module: str) -> None:
    """numpy by matplotlib, as its metadata says."""
    from importlib.metadata import requires

    base = names(PROJECT["dependencies"])
    brought = {name for one in base for name in names([word for word in requires(one) or [] if "extra" not in word])}
    assert module in {*base, *brought}
