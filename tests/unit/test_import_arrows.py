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

from check_imports import wrong_arrows  # noqa: E402

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
}


def test_no_import_of_the_package_points_up() -> None:
    assert wrong_arrows(ROOT / "udock_lab") == []


@pytest.mark.parametrize(
    ("place", "line", "there"),
    [
        ("linux/probe.py", "from udock_lab.runtime.engine import Runtime", "runtime"),
        ("runtime/engine.py", "import udock_lab.commands.base", "commands"),
        ("runtime/engine.py", "from udock_lab.display import text", "display"),
        ("runtime/engine.py", "from udock_lab import magics", "magics"),
        ("runtime/engine.py", "from ..cli import main", "cli"),
        ("display/html.py", "def late():\n    from udock_lab.runtime.home import Home", "runtime"),
        ("commands/base.py", "class Inner:\n    import udock_lab.widgets", "widgets"),
        ("commands/base.py", "from .. import magics", "magics"),
        ("model.py", "from udock_lab.linux.process import state", "linux"),
        ("errors.py", "from udock_lab.model import Record", "model"),
        ("linux/a.py", "if TYPE_CHECKING:\n    pass\nelse:\n    from udock_lab.runtime import home", "runtime"),
    ],
)
def test_an_arrow_that_points_up_is_found(tmp_path: Path, place: str, line: str, there: str) -> None:
    (tmp_path / place).parent.mkdir(exist_ok=True)
    (tmp_path / place).write_text(line)
    (wrong,) = wrong_arrows(tmp_path)
    assert wrong.startswith(place)
    assert wrong.endswith(f"must not import {there}")


@pytest.mark.parametrize(
    ("place", "line"),
    [
        ("runtime/engine.py", "from udock_lab.linux import process\nfrom . import home\nfrom .home import Home"),
        ("display/html.py", "from udock_lab.model import Record\nfrom udock_lab.errors import MdockError"),
        ("commands/base.py", "if TYPE_CHECKING:\n    from udock_lab.magics import load"),
        ("commands/base.py", "from udock_lab import __version__"),
        ("magics.py", "from udock_lab.commands import COMMANDS\nfrom udock_lab.runtime.engine import Runtime"),
        ("linux/elf.py", "import os\nfrom elftools import elf\nfrom . import resolve"),
    ],
)
def test_an_arrow_that_points_down_or_is_for_type_checkers_is_fine(tmp_path: Path, place: str, line: str) -> None:
    (tmp_path / place).parent.mkdir(exist_ok=True)
    (tmp_path / place).write_text(line)
    assert wrong_arrows(tmp_path) == []


@pytest.mark.parametrize(
    "code",
    [
        "import udock_lab",
        "from udock_lab.cli import main; main(['--help'])",
        "from udock_lab.cli import main; main(['run', '--help'])",
        "from udock_lab import Runtime, RunResult, NotFound",
        "import udock_lab.linux.process, udock_lab.runtime.supervise",
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
    unused = ("arguments", "commands.envfile", "commands.filters", "commands.formats", "commands.templates",
              "display.strictjson", "linux.filesystems")  # fmt: skip
    assert result == "0"
    assert {f"udock_lab.{name}" for name in unused} & set(loaded) == set()
