"""mdock itself at fault, or with nowhere to say so: the exit code is true, and no traceback is shown that nobody wanted."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

MDOCK = [sys.executable, "-m", "udock_lab.cli"]
PACKAGE = Path(__file__).resolve().parents[2]
Answer = subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def learner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment of somebody with a HOME whose name is no ASCII, and the image ``demo`` in it."""
    home = tmp_path_factory.mktemp("learner") / "hömé ☃"
    home.mkdir()
    env = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG", "MDOCK_"))}
    env |= {"HOME": str(home), "PYTHONPATH": str(PACKAGE)}
    made = subprocess.run([*MDOCK, "demo"], env=env, cwd="/", capture_output=True, text=True, timeout=60)
    assert made.returncode == 0, made.stderr
    yield env
    running = shell(env, "mdock ps -q --running").stdout.split()
    assert running == [], "nobody is left running when mdock could not write"


def shell(env: dict[str, str], line: str, cwd: str = "/", **more: str) -> Answer:
    script = f'mdock() {{ {shlex.join(MDOCK)} "$@"; }}\n{line}'
    return subprocess.run(
        ["bash", "-c", script],
        env=env | more,
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
    )


@pytest.mark.parametrize("where", ["2>/dev/full", ">/dev/full 2>&1", "2>&-", ">&-", ">&- 2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("mdock run nosuch", 125),
        ("mdock run --nosuch demo", 125),
        ("mdock run demo nosuch", 127),
        ("mdock run demo /bin", 126),
        ("mdock run demo sh -c 'exit 42'", 42),
        ("mdock exec c999 true", 125),
        ("mdock frobnicate", 2),
        ("mdock rm c999", 1),
    ],
)
def test_where_mdocks_words_cannot_be_written_the_exit_code_is_still_true(
    learner: dict[str, str], line: str, code: int, where: str
) -> None:
    done = shell(learner, f"{line} {where}")
    assert done.returncode == code and "Traceback" not in done.stderr


@pytest.mark.parametrize("where", [">/dev/full", ">/dev/full 2>&1", "2>/dev/full"])
def test_output_that_cannot_be_passed_on_is_125_and_ends_the_container(learner: dict[str, str], where: str) -> None:
    done = shell(learner, f"mdock run demo sh -c 'echo out; echo err >&2; sleep 60' {where}")
    assert done.returncode == 125 and "Traceback" not in done.stderr
    if where == ">/dev/full":
        assert "No space left on device" in done.stderr
    last = shell(learner, "mdock wait $(mdock ps -q | tail -1)")
    assert last.stdout.strip() in ("143", "137")


@pytest.mark.parametrize("line", ["mdock ps", "mdock --help", "mdock images", "mdock version", "mdock config"])
def test_an_answer_that_cannot_be_written_is_an_error(learner: dict[str, str], line: str) -> None:
    done = shell(learner, f"{line} >/dev/full")
    assert done.returncode == 1 and "No space left on device" in done.stderr and "Traceback" not in done.stderr


LOCALES = [
    {"LC_ALL": "C"},
    {"LC_ALL": "POSIX"},
    {"LANG": "xx_XX.ISO-8859-1"},
    {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
]


@pytest.mark.parametrize("locale", LOCALES)
def test_in_any_locale_a_home_may_have_any_name(learner: dict[str, str], locale: dict[str, str]) -> None:
    done = shell(learner, "mdock run demo echo é; mdock images; mdock run -d --copy --rm demo true; mdock ps", **locale)
    said = [line for line in done.stderr.splitlines() if "chroot" not in line and "User namespaces work" not in line]
    assert said == [] and "é\n" in done.stdout and "hömé ☃/.mdock/images/demo/rootfs" in done.stdout
    made = shell(
        learner,
        "mdock build --force other ~/.mdock/images/demo/rootfs && mdock run other true && mdock rm $(mdock ps -q) && "
        "mdock rmi other",
        **locale,
    )
    assert made.returncode == 0 and "Traceback" not in made.stderr, made.stderr


def test_a_python_that_reads_names_as_ascii_is_told_how_to_read_them(learner: dict[str, str]) -> None:
    code = "from udock_lab.cli import main; raise SystemExit(main(['run', 'demo', 'true']))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=learner | {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 125 and "PYTHONUTF8=1" in done.stderr and "Traceback" not in done.stderr


@pytest.fixture
def spoiled(tmp_path: Path) -> Path:
    """A folder with a learner's own ``difflib.py``, which mdock finds in place of Python's."""
    (tmp_path / "difflib.py").write_text("print_differences = None\n")
    return tmp_path


@pytest.mark.parametrize("line", ["mdock run nosuch", "mdock exec --frob c1 true", "mdock frob", "mdock rm --frob c1"])
def test_what_nobody_foresaw_is_125_with_a_place_and_a_way_to_report_it(
    learner: dict[str, str], spoiled: Path, line: str
) -> None:
    done = shell(learner, line, cwd=str(spoiled))
    assert done.returncode == 125
    first, second = done.stderr.splitlines()
    assert first.startswith("[mdock] mdock itself has failed: AttributeError: ") and ".py:" in first
    assert "mdock --debug " in second
    whole = shell(learner, line.replace("mdock", "mdock --debug"), cwd=str(spoiled))
    assert whole.returncode == 125 and "[mdock] Traceback (most recent call last):" in whole.stderr


def test_debug_changes_nothing_where_all_goes_well(learner: dict[str, str]) -> None:
    assert shell(learner, "mdock --debug run demo echo hello").stdout == "hello\n"
    assert shell(learner, "mdock --debug").stdout == shell(learner, "mdock").stdout


IN_CELLS = """
import sys
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell()
shell.history_manager.enabled = False
shell.extension_manager.load_extension("udock_lab")
sys.path.insert(0, SPOILED)
sys.modules.pop("difflib", None)
shell.run_cell(CELL)
"""


@pytest.mark.parametrize("cell", ["%mdock run nosuch -- true", "%mdock frob"])
def test_in_a_cell_too(learner: dict[str, str], spoiled: Path, cell: str) -> None:
    def said(cell: str) -> str:
        code = IN_CELLS.replace("SPOILED", repr(str(spoiled))).replace("CELL", repr(cell))
        ipython = {"IPYTHONDIR": str(spoiled / "ipython")}
        done = subprocess.run([sys.executable, "-c", code], env=learner | ipython, capture_output=True, text=True)
        return done.stdout + done.stderr

    told = said(cell)
    assert "MdockError: mdock itself has failed: AttributeError" in told and "%mdock --debug" in told
    assert "Traceback" not in told
    assert "Traceback" in said(cell.replace("%mdock", "%mdock --debug"))
