"""What each program of ours imports before it does anything: a start is mostly imports, and each is paid for each time.

What is pinned are the modules of the standard library: one that is imported without need costs more than ten of ours.
"""

from __future__ import annotations

import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

pytest.importorskip("IPython")

ROOT = Path(__file__).resolve().parents[2]
BARE = ("-I", "-S")  # as the launcher starts, and the keeper
EVERY_START = (
    "__future__ collections.abc contextlib ctypes errno fcntl io os re resource select struct _json _signal _socket"
)
IN_A_KERNEL = "from IPython.core.interactiveshell import InteractiveShell; shell = InteractiveShell.instance()"
# By start: how Python is started, the code, and what of the standard library it may import, with what that imports.
STARTS = {
    "mdock run as a process": (
        (),
        "import udock_lab.cli; udock_lab.cli.main(['run', 'demo', '/bin/true']);"
        "import udock_lab.runtime.supervisor.serve",  # which its supervisor imports
        f"{EVERY_START} enum gc heapq pwd termios",
    ),
    "launcher": (
        BARE,
        "import udock_lab.runtime.child.launcher, udock_lab.runtime.supervisor.serve",
        f"{EVERY_START} enum gc heapq pwd termios",
    ),
    "forker": (BARE, "import udock_lab.runtime.child.launcher", "__future__ ctypes errno fcntl gc os resource select struct termios _socket"),
    "keeper": (BARE, "import udock_lab.sandbox.keeper.main", f"{EVERY_START} heapq shutil signal termios"),
    "runner": (BARE, "import udock_lab.sandbox.runner", f"{EVERY_START} _ast enum linecache termios traceback types"),
    "reader of a submission": (BARE, "import udock_lab.grading.reader", f"{EVERY_START} ast json symtable"),
    "scene of a check": (
        BARE,
        "import udock_lab.grading.inside, udock_lab.grading.referee",
        f"{EVERY_START} json linecache signal socket",
    ),
    "%load_ext udock_lab": (
        (),
        f"{IN_A_KERNEL}; shell.extension_manager.load_extension('udock_lab')",
        "argparse ctypes fcntl gc pwd resource signal subprocess symtable termios markupsafe "
        "IPython.core.magics.extension",  # that magic's own module, which only this test does without
    ),
}  # fmt: skip
# Imported in such a process when more is asked for: keys from a terminal, layers of isolation.
LATER = """
isolation.files isolation.namespaces isolation.private_root isolation.rights isolation.signals
linux.elfhead linux.landlock linux.stepping linux.sharedmemory runtime.client.typed sandbox.doors sandbox.line_log
"""
# Each costs milliseconds, most of them because of what it imports itself.
NEVER = {"argparse", "ast", "asyncio", "dataclasses", "inspect", "json", "locale", "logging", "pathlib", "pickle",
         "random", "shlex", "socket", "subprocess", "tempfile", "threading", "typing"}  # fmt: skip
NEEDS = {"reader of a submission": {"ast", "json"}, "scene of a check": {"json", "socket"}}


@cache
def modules(flags: tuple[str, ...], code: str) -> frozenset[str]:
    """What is imported in a fresh Python when this code has run."""
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); {code}\nprint('imported', *sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, *flags, "-c", code], capture_output=True, text=True, check=True)
    return frozenset(done.stderr.splitlines()[-1].split()[1:])


def imported_by(start: str) -> frozenset[str]:
    flags, code, _ = STARTS[start]
    return modules(flags, code)


def allowed_in(start: str) -> frozenset[str]:
    flags, _, allowed = STARTS[start]
    code = "; ".join(f"import {name}" for name in allowed.split())
    return modules(flags, f"{IN_A_KERNEL}; {code}" if start.startswith("%") else code)


@pytest.mark.usefixtures("runtime")
@pytest.mark.parametrize("start", STARTS)
def test_a_start_imports_this_of_the_standard_library_and_no_more(start: str) -> None:
    more = {name for name in imported_by(start) - allowed_in(start) if not name.startswith("udock_lab")}
    assert more == set()


@pytest.mark.usefixtures("runtime")
@pytest.mark.parametrize("start", [start for start in STARTS if start != "%load_ext udock_lab"])
def test_a_start_does_without_what_is_dear(start: str) -> None:
    pythons_own = modules(BARE, "import ctypes, traceback")  # 3.14 has its ctypes import threading
    assert (NEVER & imported_by(start)) - pythons_own - NEEDS.get(start, set()) == set()


def file_of(module: str) -> Path:
    path = ROOT / module.replace(".", "/")
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


@pytest.mark.usefixtures("runtime")
def test_typing_is_replaced_on_start_paths_and_nowhere_else() -> None:
    """model/value.py says how and why. The extension loads where typing is loaded already."""
    asked = {f"udock_lab.{name}" for name in LATER.split()}
    small = {name for start in STARTS if start != "%load_ext udock_lab" for name in imported_by(start)} | asked
    every = small | imported_by("%load_ext udock_lab")
    on_small, on_every = ({file_of(name) for name in names if name.startswith("udock_lab")} for names in (small, every))
    texts = {path: path.read_text() for path in (ROOT / "udock_lab").rglob("*.py")}
    replaced = {path for path, text in texts.items() if re.search(r"^TYPE_CHECKING = False", text, re.M)}
    imports_it = {path for path, text in texts.items() if re.search(r"^(from typing import|import typing)", text, re.M)}
    scenes = {path for path in texts if path.name == "scenes.py"}
    assert replaced - on_every - scenes == set(), "no start imports these: they may import typing, which is plainer"
    assert imports_it & on_small == set()
    assert [path for path in replaced if re.search(r"^TYPE_CHECKING = False +#", texts[path], re.M)] == []
