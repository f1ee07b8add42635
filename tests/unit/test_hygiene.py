"""The checks check: each rule for lessons fires, and the test session notices skips and leftovers."""

from __future__ import annotations

import ast
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

from check_notebooks import page_problems, problems  # noqa: E402

TITLE = "# A lesson\n\nAfter this lesson you can see, say and do. 25 minutes."


def text(source: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": source}


def code(source: str, *outputs: dict[str, Any], count: int | None = 1, tags: tuple[str, ...] = ()) -> dict[str, Any]:
    cell = {"cell_type": "code", "metadata": {"tags": list(tags)}, "source": source, "execution_count": count}
    return cell | {"outputs": list(outputs)}


def stream(said: str) -> dict[str, Any]:
    return {"output_type": "stream", "name": "stdout", "text": [said]}


WIDGET = {"output_type": "display_data", "data": {"application/vnd.jupyter.widget-view+json": {}}, "metadata": {}}
ERROR = {"output_type": "error", "ename": "ValueError", "evalue": "", "traceback": []}


def judged(folder: Path, *cells: dict[str, Any]) -> list[str]:
    path = folder / "lesson.ipynb"
    path.write_text(json.dumps({"cells": list(cells), "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    return problems(path)


def test_a_clean_lesson_has_no_problems(tmp_path: Path) -> None:
    (tmp_path / "next.md").write_text("# What `fork` copies\n\n# Next\n\n<a id='by-hand'></a>")
    links = "[on](next.md#what-fork-copies) [hand](next.md#by-hand) [up](#A-lesson) [code](#What-fork-copies)"
    body = f"## What `fork` copies\n\n![a parent and a child](next.md) [man](https://example.org#a) {links} `[a](b)`"
    fenced = text("### Task\n\n```sh\n# not a heading\n![](nothing)\n```")
    run = code("1 / 0", ERROR, tags=("raises-exception",))
    assert judged(tmp_path, text(TITLE), text(body), fenced, run, code("print(1)", stream("HOME=/root\n"))) == []


@pytest.mark.parametrize(
    ("cells", "problem"),
    [
        ([], "it is empty"),
        ([text("# A lesson\n\n25 minutes")], "the first cell does not say: After this lesson you can ..."),
        ([text("# A lesson\n\nAfter this lesson you can fork")], "the first cell does not say how many minutes"),
        ([text(TITLE), text("# Another title")], "2 headings of the first level, wanted one"),
        ([text(TITLE.removeprefix("# "))], "0 headings of the first level, wanted one"),
        ([text(TITLE), text("### Deep")], "heading level skips from 1 to 3"),
        ([text(TITLE), *[text("words")] * 30], "31 cells, at most 30"),
        ([text(TITLE), text("![ ](https://example.org/a.png)")], "cell 2: a picture has no alt text"),
        ([text(TITLE), text('<img src="https://example.org/a.png" alt="">')], "cell 2: a picture has no alt text"),
        ([text(TITLE), text("[lost](nowhere.ipynb)")], "cell 2: the link nowhere.ipynb leads nowhere"),
        ([text(TITLE), text("[lost](nowhere.ipynb#part)")], "cell 2: the link nowhere.ipynb#part leads nowhere"),
        ([text(TITLE), text("[lost](#a-lesson)")], "cell 2: the link #a-lesson leads nowhere"),
        ([text(TITLE), text("[lost](lesson.ipynb#No)")], "cell 2: the link lesson.ipynb#No leads nowhere"),
        ([text(TITLE), code("x", WIDGET)], "cell 2: a committed output names a widget that is gone"),
        ([text(TITLE), code("\n".join("a" * 16))], "cell 2: 16 lines, at most 15"),
        ([text(TITLE), code("a" * 116)], "cell 2: a line of 116 characters, at most 115"),
        ([text(TITLE), code("x", stream("\x1b[31m" + "b" * 116))], "cell 2: it prints a line of 116 characters"),
        ([text(TITLE), text("see `records_of_nobody.py`")], "cell 2: there is no file records_of_nobody.py"),
        ([text(TITLE), code("print(1)", count=None)], "cell 2: was never executed; commit its outputs"),
        ([text(TITLE), code("1 / 0", ERROR)], "cell 2: a committed output is an error"),
        ([text(TITLE), code("ls", stream("/home/somebody/x"))], "cell 2: an output tells where it was made: /home/"),
        ([text(TITLE), code("ls", stream("/tmp/x"))], "cell 2: an output tells where it was made: /tmp/"),
        ([text(TITLE), code("ls", stream(f"{ROOT}/x"))], "cell 2: an output tells where it was made: "),
    ],
)
def test_each_rule_for_lessons_is_enforced(tmp_path: Path, cells: list[dict[str, Any]], problem: str) -> None:
    (found,) = judged(tmp_path, *cells)
    assert found.startswith(problem)


def test_a_page_whose_link_leads_nowhere_is_named(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Title\n\n[here](#title) [there](page.md#nothing) ![](page.md)")
    assert page_problems(page) == ["a picture has no alt text", "the link page.md#nothing leads nowhere"]


def test_the_lessons_of_this_course_are_clean() -> None:
    lessons = sorted((ROOT / "notebooks").glob("*.ipynb"))
    assert lessons
    assert {path.name: problems(path) for path in lessons} == {path.name: [] for path in lessons}


def session(folder: Path, test: str, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A test session of its own, under the rules of this one, that has this one test."""
    (folder / "conftest.py").write_text((ROOT / "tests" / "conftest.py").read_text())
    (folder / "test_it.py").write_text(f"import os, subprocess, sys, tempfile, pytest\ndef test_it():\n    {test}\n")
    (folder / "pytest.ini").touch()
    clean = {name: value for name, value in os.environ.items() if name != "CI"}
    slow_to_import = ("nbval", "hypothesispytest", "anyio")
    without = [word for name in ("cacheprovider", *slow_to_import) for word in ("-p", f"no:{name}")]
    command = [sys.executable, "-m", "pytest", *without, "--basetemp", str(folder / "base"), *options, "."]
    return subprocess.run(command, cwd=folder, env=clean | environment, capture_output=True, text=True, timeout=100)


def test_a_quiet_skip_fails_the_session_in_ci_only(tmp_path: Path) -> None:
    skip = "pytest.skip('no browser, which needs privilege: no')"
    assert session(tmp_path, skip).returncode == 0
    done = session(tmp_path, skip, CI="true")
    assert done.returncode == 1
    assert "SKIPPED IN CI: test_it.py::test_it: no browser" in done.stdout


@pytest.mark.parametrize(("turn", "run"), [("3", "03"), ("4", "14"), ("all", "012345")])
def test_of_a_test_that_takes_turns_those_cases_run_whose_turn_it_is(tmp_path: Path, turn: str, run: str) -> None:
    (tmp_path / "test_turns.py").write_text(
        "import pytest\n@pytest.mark.in_turn(3)\n@pytest.mark.parametrize('n', range(6))\ndef test_n(n): pass\n"
    )
    done = session(tmp_path, "pass", "--turn", turn, "-v")
    assert "".join(re.findall(r"test_n\[(\d)\] PASSED", done.stdout)) == run, done.stdout
    assert "test_it PASSED" in done.stdout


def test_a_skip_for_want_of_privilege_is_accepted_in_ci(tmp_path: Path) -> None:
    assert session(tmp_path, "pytest.skip('needs privilege: mount')", CI="true").returncode == 0


def test_a_process_that_outlives_the_tests_fails_the_session(tmp_path: Path) -> None:
    done = session(tmp_path, "subprocess.Popen(['sleep', '60'], start_new_session=True)")
    left = re.search(r"LEFT BEHIND: process (\d+): sleep 60", done.stdout)
    assert left, done.stdout
    os.kill(int(left[1]), signal.SIGKILL)
    assert done.returncode == 1


def test_a_process_that_one_of_several_test_processes_left_is_named_once(tmp_path: Path) -> None:
    (tmp_path / "test_other.py").write_text("import time\ndef test_it(): time.sleep(1)\n")
    quiet = "stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True"
    done = session(tmp_path, f"subprocess.Popen(['sleep', '60'], {quiet})", "-n", "2")
    (left,) = re.findall(r"LEFT BEHIND: process (\d+): sleep 60", done.stdout)
    os.kill(int(left), signal.SIGKILL)
    assert done.returncode == 1


def test_what_a_test_process_is_still_running_is_not_blamed_on_another_that_has_ended(tmp_path: Path) -> None:
    (tmp_path / "test_other.py").write_text(
        "import subprocess, time\nfrom pathlib import Path\n"
        "def test_it():\n"
        "    place = Path('place')\n"
        "    with subprocess.Popen(['sleep', '100']) as process:\n"
        "        while not place.exists() or Path(place.read_text()).exists():  # it goes as that session ends\n"
        "            time.sleep(0.02)\n"
        "        process.kill()\n"
    )
    done = session(tmp_path, "open('place', 'w').write(tempfile.gettempdir())", "-n", "2")
    assert (done.returncode, "LEFT BEHIND" in done.stdout) == (0, False), done.stdout


def test_a_fork_in_one_of_several_test_processes_is_named_for_those_have_a_thread(tmp_path: Path) -> None:
    done = session(tmp_path, "os.waitpid(os.fork() or os._exit(0), 0)", "-n", "1")
    assert done.returncode == 1
    assert "FORKED BESIDE THREADS: test_it.py::test_it (call)" in done.stdout


def test_a_temporary_folder_that_outlives_the_tests_fails_the_session(tmp_path: Path) -> None:
    done = session(tmp_path, "tempfile.mkdtemp(prefix='mdock-')")
    assert done.returncode == 1
    assert "LEFT BEHIND: temporary" in done.stdout


def test_a_socket_that_outlives_the_tests_fails_the_session(tmp_path: Path) -> None:
    listen = "import socket; sys.kept = socket.socket(socket.AF_UNIX); sys.kept.bind(tempfile.gettempdir() + '/s')"
    done = session(tmp_path, listen, TMPDIR="/tmp")
    assert done.returncode == 1
    assert re.search(r"LEFT BEHIND: socket /tmp/udock-tests-\w+/s\n", done.stdout), done.stdout


def test_a_mount_that_outlives_the_tests_fails_the_session(tmp_path: Path, as_root: None) -> None:
    """In a mount namespace of its own, so that this one is spared."""
    if subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode:
        pytest.skip("needs privilege: a mount namespace")
    own = "from udock_lab.linux.namespaces import CLONE_NEWNS, unshare; unshare(CLONE_NEWNS)"
    place = str(tmp_path / "base" / "a place")
    mount = f"os.mkdir({place!r}); subprocess.run(['mount', '-t', 'tmpfs', 'none', {place!r}], check=True)"
    done = session(tmp_path, f"{own}; {mount}")
    assert done.returncode == 1
    assert "LEFT BEHIND: mount" in done.stdout


def test_what_a_session_may_leave_is_nothing_and_then_it_passes(tmp_path: Path) -> None:
    """A whole run with a launcher, ended by the end of the session."""
    run = (
        "from udock_lab import Runtime; from udock_lab.runtime.image.rootfs import make_rootfs;"
        " runtime = Runtime(tempfile.mkdtemp(prefix='home')); make_rootfs(runtime.home.path + '/root');"
        " runtime.build('demo', runtime.home.path + '/root'); assert runtime.run('demo', ['/bin/true']).exit_code == 0"
    )
    done = session(tmp_path, run)
    assert (done.returncode, "LEFT BEHIND" in done.stdout) == (0, False), done.stdout


def test_every_script_that_make_calls_can_be_executed() -> None:
    called = [word for word in (ROOT / "Makefile").read_text().split() if word.lstrip("@").startswith("scripts/")]
    assert called
    for word in called:
        path = ROOT / word.lstrip("@")
        assert path.suffix == ".py" or os.access(path, os.X_OK), path


def test_what_the_tests_call_the_slowest_of_them_is_there() -> None:
    tree = ast.parse((ROOT / "tests" / "conftest.py").read_text())
    lists = [
        node.value for node in tree.body if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "SLOWEST"
    ]
    (names,) = map(ast.literal_eval, lists)
    assert set(names) <= {path.stem for path in (ROOT / "tests").rglob("test_*.py")}


def test_no_two_files_of_tests_have_one_name() -> None:
    """pytest imports them by their names alone, and would leave out the second one."""
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    assert sorted({name for name in names if names.count(name) > 1}) == []
