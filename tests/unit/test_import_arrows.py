"""Imports point down only, and what nobody asked for is not imported."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from udock_lab import Runtime

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

from check_imports import arrows, faults, rooms, unexpected  # noqa: E402

HEAVY = {
    "IPython",
    "ipywidgets",
    "psutil",
    "elftools",
    "jupyter_client",
    "jupyterlab",
    "ipykernel",
    "traitlets",
    "wcwidth",
    "markupsafe",
    "jinja2",
    "matplotlib",
}


def house(place: Path, files: dict[str, str]) -> list[str]:
    """What is wrong with a package of these files."""
    for name, text in files.items():
        path = place / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(text)
    return faults(place)


def test_the_house_stands_as_it_is_drawn() -> None:
    done = subprocess.run([sys.executable, ROOT / "scripts/check_imports.py"], capture_output=True, text=True)
    assert done.stdout == "imports point down only, and nothing runs in a circle\n"
    assert done.returncode == 0


def test_what_was_to_be_mended_and_is_has_to_leave_the_list() -> None:
    assert unexpected(["a.py:7: wrong", "b.py:1: wrong"], {"a.py: wrong"}) == ["b.py:1: wrong"]
    assert unexpected([], {"a.py: wrong"}) == ["mended: take it off TO_MEND: a.py: wrong"]


def test_the_drawing_names_every_room_and_only_arrows_that_are_allowed() -> None:
    there = rooms()
    assert {module for inside in there.values() for module in inside} > {"udock_lab.cli", "udock_lab.text.nearest"}
    assert {name for pair in arrows() for name in pair} <= set(there)
    assert arrows()["cli", "commands"] > 0
    assert ("runtime", "commands") not in arrows()


@pytest.mark.parametrize(
    ("place", "line", "there"),
    [
        ("linux/process.py", "from udock_lab.runtime.engine import Runtime", "runtime"),
        ("runtime/engine.py", "import udock_lab.commands.base", "commands"),
        ("runtime/engine.py", "from udock_lab.display import text", "display"),
        ("runtime/engine.py", "from udock_lab import notebook", "notebook"),
        ("runtime/engine.py", "from ..cli import main", "cli"),
        ("display/html.py", "def late():\n    from udock_lab.runtime.state.home import Home", "runtime"),
        ("commands/base.py", "class Inner:\n    import udock_lab.widgets", "widgets"),
        ("commands/base.py", "from .. import notebook", "notebook"),
        ("commands/base.py", "from udock_lab import Runtime", "the facade"),
        ("model.py", "from udock_lab.linux.process import state", "linux"),
        ("errors.py", "from udock_lab.model import Record", "model"),
        ("linux/a.py", "if TYPE_CHECKING:\n    pass\nelse:\n    from udock_lab.runtime import home", "runtime"),
        ("cli.py", "from udock_lab.notebook.mdock_magic import load", "notebook"),
        ("widgets/panel.py", "def late():\n    from udock_lab.lesson.session import begin", "lesson"),
        ("notebook/mdock_magic.py", "from udock_lab.lesson import begin", "lesson"),
        ("lesson/session.py", "from udock_lab.grading.cells import check", "grading"),
        ("sandbox/client.py", "from udock_lab.display.text import runs", "display"),
    ],
)
def test_an_arrow_that_points_up_is_found(tmp_path: Path, place: str, line: str, there: str) -> None:
    (wrong,) = house(tmp_path, {place: line})
    assert wrong.startswith(place)
    assert wrong.endswith(f"must not import {there}")


@pytest.mark.parametrize(
    ("place", "line"),
    [
        ("runtime/engine.py", "from udock_lab.linux import process\nfrom . import home\nfrom .home import Home"),
        ("display/html.py", "from udock_lab.model import Record\nfrom udock_lab.errors import MdockError"),
        ("commands/base.py", "if TYPE_CHECKING:\n    from udock_lab.notebook import load"),
        ("commands/base.py", "from udock_lab.version import __version__"),
        ("notebook/cell.py", "from udock_lab.commands import COMMANDS\nfrom udock_lab.runtime.engine import Runtime"),
        ("linux/elf.py", "import os\nfrom elftools import elf\nfrom . import resolve"),
        (
            "lesson/showing.py",
            "import sys\nsys.modules.get('IPython')\nimport importlib\nimportlib.import_module('os')",
        ),
    ],
)
def test_an_arrow_that_points_down_or_is_for_type_checkers_is_fine(tmp_path: Path, place: str, line: str) -> None:
    assert house(tmp_path, {place: line}) == []


@pytest.mark.parametrize(
    ("place", "line", "there"),
    [
        ("runtime/state/home.py", "from udock_lab.runtime.image.build import aside", "image"),
        ("runtime/state/home.py", "def late():\n    from udock_lab.runtime.unsaid import Unsaid", "unsaid"),
        ("runtime/image/rootfs.py", "from udock_lab.runtime.client.planning import DEFAULT_PATH", "client"),
        ("runtime/child/launch.py", "from udock_lab.runtime.protocol import Ended", "protocol"),
        ("runtime/child/forker.py", "from ..supervisor import serve", "supervisor"),
        ("runtime/child/forker.py", "from udock_lab.runtime.child import launcher", "child.launcher"),
        ("runtime/protocol.py", "from udock_lab.runtime.state.home import Home", "state"),
        ("runtime/supervisor/job.py", "from udock_lab.runtime.client.result import run_result", "client"),
        ("runtime/client/attach.py", "from udock_lab.runtime.engine import Runtime", "engine"),
        ("runtime/client/explain/case.py", "from udock_lab.runtime.image.rootfs import make_rootfs", "image"),
    ],
)
def test_an_arrow_that_points_up_within_the_runtime_is_found(tmp_path: Path, place: str, line: str, there: str) -> None:
    below = {"runtime/child/launcher.py": "", "runtime/supervisor/serve.py": ""}
    (wrong,) = house(tmp_path, {place: line, **below})
    assert wrong.startswith(place)
    assert wrong.endswith(f"must not import runtime/{there}")


@pytest.mark.parametrize(
    ("place", "line"),
    [
        ("runtime/child/launcher.py", "from udock_lab.runtime.supervisor.serve import Supervisor"),
        ("runtime/client/connection.py", "from udock_lab.runtime.child.launcher import command_line"),
        ("runtime/image/build.py", "from udock_lab.runtime.state import images"),
        ("runtime/ending.py", "from udock_lab.runtime.removing import end_execs\nfrom udock_lab.runtime.client import attach"),
        ("sandbox/client.py", "from udock_lab.runtime.state.home import Home"),
    ],
)  # fmt: skip
def test_an_arrow_that_points_down_within_the_runtime_is_fine(tmp_path: Path, place: str, line: str) -> None:
    assert house(tmp_path, {place: line}) == []


def test_a_circle_inside_a_room_is_found_also_where_one_import_waits_in_a_function(tmp_path: Path) -> None:
    text, html = "def to_text():\n    from udock_lab.display import html", "from udock_lab.display.text import table"
    assert house(
        tmp_path,
        {"display/text.py": text, "display/html.py": html, "display/lanes.py": "from udock_lab.display import html"},
    ) == ["a circle: udock_lab.display.html, udock_lab.display.text"]


def test_a_room_that_imports_from_its_own_front_is_a_circle(tmp_path: Path) -> None:
    front, back = (
        "from udock_lab.commands import completion",
        "def late():\n    from udock_lab.commands import COMMANDS",
    )
    (wrong,) = house(tmp_path, {"commands/__init__.py": front, "commands/completion.py": back})
    assert wrong == "a circle: udock_lab.commands, udock_lab.commands.completion"


@pytest.mark.parametrize(
    "line",
    [
        "importlib.import_module('udock_lab.widgets')",
        "import_module(f'udock_lab.grading.{name}')",
        "__import__('udock_lab.cli')",
        "sys.modules['udock_lab.widgets']",
        "def reach():\n    return sys.modules.get('udock_lab.notebook')",
        "importlib.util.find_spec('udock_lab.widgets')",
    ],
)
def test_a_module_of_ours_that_is_fetched_by_its_name_is_found(tmp_path: Path, line: str) -> None:
    (wrong,) = house(tmp_path, {"lesson/session.py": line})
    assert "udock_lab.lesson.session:" in wrong and "fetched by its name" in wrong


def test_a_file_outside_every_room_is_found(tmp_path: Path) -> None:
    (wrong,) = house(tmp_path, {"helpers.py": ""})
    assert wrong.startswith("udock_lab.helpers: no room")


def test_a_file_too_long_and_a_class_of_too_many_methods_are_found_where_they_count(tmp_path: Path) -> None:
    long, wide = "pass\n" * 501, "class Wide:\n" + "".join(f"    def f{n}(self): ...\n" for n in range(26))
    assert house(tmp_path, {"runtime/engine.py": wide}) == []
    assert house(tmp_path, {"display/text.py": long, "linux/elf.py": wide, "runtime/engine.py": long}) == [
        "display/text.py: 501 lines, and 500 are the most",
        "linux/elf.py:1: Wide has 26 methods, and 25 are the most",
        "runtime/engine.py: 501 lines, and 500 are the most",
    ]


@pytest.mark.parametrize(
    "code",
    [
        "import udock_lab",
        "from udock_lab.cli import main; main(['--help'])",
        "from udock_lab.cli import main; main(['run', '--help'])",
        "from udock_lab import Runtime, RunResult, NotFound",
        "import udock_lab.linux.process, udock_lab.runtime.supervisor.serve",
    ],
)
def test_nothing_heavy_is_imported_until_a_command_needs_it(code: str) -> None:
    command = [sys.executable, "-c", f"import sys; {code}; print(*sys.modules, file=sys.stderr)"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert {name.split(".")[0] for name in done.stderr.split()} & HEAVY == set()


@pytest.mark.parametrize("without", ["", "sys_chroot"])
def test_a_whole_run_from_the_terminal_imports_nothing_heavy(home: Path, demo_rootfs: Path, without: str) -> None:
    words = ["setpriv", f"--bounding-set=-{without}", f"--inh-caps=-{without}"] if without else []
    if words and (os.geteuid() != 0 or not shutil.which("setpriv")):
        pytest.skip("needs privilege: only root with setpriv can give a right up")
    code = (
        "import sys; from udock_lab.cli import main; main(['build', 'demo', sys.argv[1]]);"
        "code = main(['run', 'demo', '/bin/true']); main(['ps']); print(code, *sys.modules, file=sys.stderr)"
    )
    command = [*words, sys.executable, "-c", code, str(demo_rootfs)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    result, *loaded = done.stderr.splitlines()[-1].split()
    assert result == "0"
    assert {name.split(".")[0] for name in loaded} & HEAVY == set()


def test_a_run_does_without_the_code_for_odd_arguments_templates_and_copies(runtime: Runtime) -> None:
    code = (
        "import sys; from udock_lab.cli import main; code = main(['run', '-e', 'A=b', '--files', '64', 'demo', 'true']);"
        "code += main(['ps']) + main(['ps', '-q']); print(code, *sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    result, *loaded = done.stderr.splitlines()[-1].split()
    unused = ("text.arguments", "commands.envfile", "commands.filters", "commands.formats", "commands.templates",
              "text.strictjson", "linux.filesystems")  # fmt: skip
    assert result == "0"
    assert {f"udock_lab.{name}" for name in unused} & set(loaded) == set()


def test_run_and_ps_from_the_terminal_do_without_dataclasses(runtime: Runtime) -> None:
    code = (
        "import sys; from udock_lab.cli import main; code = main(['run', '-e', 'A=b', '--files', '64', 'demo', 'true']);"
        "code += main(['ps']) + main(['ps', '-q']); print(code, *sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    result, *loaded = done.stderr.splitlines()[-1].split()
    assert result == "0"
    argparse = "import argparse, sys; argparse.ArgumentParser().add_subparsers(); print(*sys.modules)"  # 3.14: colours
    own = subprocess.run([sys.executable, "-c", argparse], capture_output=True, text=True, check=True).stdout.split()
    assert not {"dataclasses", "inspect", "ast"} & (set(loaded) - set(own)), (
        "a third of a cold start for value.py's gift"
    )
