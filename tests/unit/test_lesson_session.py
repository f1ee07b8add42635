"""``begin`` and ``end``: a home of the lesson's own, the learner's left alone, nothing left behind."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from waiting import until

from udock_lab.errors import UsageError
from udock_lab.lesson import Lesson, begin, outline
from udock_lab.lesson.scratch import PREFIX


@pytest.fixture
def lesson(home: Path) -> Iterator[Lesson]:
    begun = begin("m2_1a_fork")
    yield begun
    begun._close()


def folders(root: Path) -> list[str]:
    return [path.name for path in root.iterdir() if path.name.startswith(PREFIX)]


def test_a_lesson_runs_containers_from_c1_in_a_home_of_its_own(home: Path, lesson: Lesson) -> None:
    assert os.environ["MDOCK_HOME"] == lesson.home
    result = lesson.runtime.run("demo", ["/bin/echo", "hello"])
    assert (result.id, result.text) == ("c1", "hello\n")
    assert any(step.name == "fork" for step in result.steps)
    assert not (home / "containers.db").exists()


def test_begin_says_in_one_line_what_the_machine_permits(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lesson = begin("m2_1a_fork")
    lesson.end()
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith(f"This machine: rung {lesson.rung}, ")
    assert line.endswith("%mdock doctor shows each feature.")
    works = {feature.name: feature.works for feature in lesson.doctor.features}
    assert (lesson.chroot, lesson.userns, lesson.strace) == (works["chroot"], works["user namespace"], works["strace"])
    with pytest.raises(UsageError, match="Did you mean 'chroot'"):
        lesson.permits("chrot")


def test_begin_again_starts_afresh_and_ends_what_ran(home: Path) -> None:
    first = begin("m2_1a_fork")
    running = first.runtime.run("demo", ["/bin/sleep", "100"], detach=True)
    second = begin("m2_1a_fork")
    try:
        assert not Path(first.home).exists()
        assert not Path(f"/proc/{running.pid}/root").exists()
        assert second.runtime.run("demo", ["/bin/true"]).id == "c1"
    finally:
        second._close()
    assert "MDOCK_HOME" not in os.environ


def test_an_unknown_slug_names_the_nearest_and_leaves_the_running_lesson_alone(lesson: Lesson) -> None:
    with pytest.raises(UsageError, match="Did you mean 'm2_1a_fork'"):
        begin("m2_1_fork")
    assert os.environ["MDOCK_HOME"] == lesson.home


def test_the_end_is_checked_told_and_kept(home: Path) -> None:
    lesson = begin("m2_1a_fork")
    lesson.runtime.run("demo", ["/bin/true"])
    end = lesson.end()
    assert str(end).splitlines() == [
        "The lesson m2_1a_fork has ended.",
        "  left running: 0 containers, 0 processes · files: none",
        "  next lesson: m2_1b_exec_and_wait.ipynb · Exec and wait: how a process becomes a program (25 minutes)",
        "  build it yourself: exercise m2_1_process_creation",
        "  note: Still open: some of its questions were not put yet.",
    ]
    assert end.clean
    assert "MDOCK_HOME" not in os.environ
    assert not Path(lesson.home).exists()
    assert json.loads((home / "progress.json").read_text())["lessons"]["m2_1a_fork"]["done"] is True


@pytest.mark.parametrize("place", ["lessons/exercises", "exercises/release"])
def test_the_end_links_the_next_lesson_and_the_exercise_where_they_are_there(
    place: str, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lessons, exercise = tmp_path / "lessons", tmp_path / place / "m2_1_process_creation"
    for folder in lessons, exercise:
        folder.mkdir(parents=True)
    (lessons / "m2_1b_exec_and_wait.ipynb").touch()
    (exercise / "m2_1_process_creation.ipynb").touch()
    monkeypatch.chdir(lessons)
    links = re.findall('<a href="([^"]+)"', begin("m2_1a_fork").end()._repr_html_())
    assert links[0] == "m2_1b_exec_and_wait.ipynb"
    assert (lessons / links[1]).samefile(exercise / "m2_1_process_creation.ipynb")


def test_the_end_links_nothing_that_is_not_there(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "<a " not in begin("m2_1a_fork").end()._repr_html_()


def test_what_still_runs_at_the_end_is_named_and_ended(home: Path) -> None:
    lesson = begin("m2_1a_fork")
    running = lesson.runtime.run("demo", ["/bin/sleep", "100"], detach=True)
    end = lesson.end()
    assert "Still running, and ended for you: c1 (/bin/sleep 100)." in str(end)
    assert "left running: 0 containers, 0 processes · files: none" in str(end)
    assert not Path(f"/proc/{running.pid}").exists()


def test_a_process_that_a_cell_left_is_counted(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("udock_lab.lesson.session.PATIENCE", 0.1)
    lesson = begin("m2_1a_fork")
    left = subprocess.Popen(["sleep", "100"])
    try:
        end = lesson.end()
        assert "0 containers, 1 process · files: none" in str(end)
        assert f"(pid {left.pid})" in str(end)
        assert not end.clean
    finally:
        left.kill()
        left.wait()


def test_the_end_can_be_asked_twice_and_the_runtime_no_more(home: Path) -> None:
    lesson = begin("m2_1a_fork")
    assert lesson.end() is lesson.end()
    with pytest.raises(UsageError, match="first cell"):
        _ = lesson.runtime


def test_a_home_that_the_learner_chose_meanwhile_is_left_as_it_is(home: Path, tmp_path: Path) -> None:
    lesson = begin("m2_1a_fork")
    os.environ["MDOCK_HOME"] = str(tmp_path / "mine")
    lesson.end()
    assert os.environ["MDOCK_HOME"] == str(tmp_path / "mine")


def process(code: str, tmp_path: Path) -> subprocess.Popen[str]:
    """A Python of its own whose temporary folder is ``tmp_path``/tmp."""
    (tmp_path / "tmp").mkdir(exist_ok=True)
    env = os.environ | {"TMPDIR": str(tmp_path / "tmp"), "HOME": str(tmp_path)}
    command = [sys.executable, "-c", f"from udock_lab.lesson import begin\n{code}"]
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True)


def test_a_kernel_that_leaves_without_end_takes_its_home_along(tmp_path: Path) -> None:
    code = 'lesson = begin("m2_1a_fork")\nlesson.runtime.run("demo", ["/bin/sleep", "100"], detach=True)'
    assert process(code, tmp_path).wait(30) == 0
    assert folders(tmp_path / "tmp") == []


def test_a_forked_copy_keeps_its_answer_and_takes_nothing_of_the_lesson_along(tmp_path: Path) -> None:
    code = (
        "import os, sys\nfrom udock_lab.lesson import predict, progress\nlesson = begin('m2_1a_fork')\n"
        "if os.fork() == 0:\n    predict('lines', '?', {'one': '', 'two': ''}).answer('one')\n    sys.exit()\n"
        "os.wait()\nprint(predict('lines', '?', {'one': '', 'two': ''}).locked)\n"
        "print(lesson.runtime.run('demo', ['/bin/echo', 'hello']).text, end='')\nprint(lesson.end().clean)"
    )
    said, _ = process(code, tmp_path).communicate(timeout=60)
    assert said.splitlines()[-3:] == ["one", "hello", "True"]
    assert json.loads((tmp_path / ".mdock" / "progress.json").read_text())["lessons"]["m2_1a_fork"]["done"] is True


def test_what_a_killed_kernel_left_is_removed_by_the_next_lesson(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = (
        'lesson = begin("m2_1a_fork")\n'
        'run = lesson.runtime.run("demo", ["/bin/sleep", "100"], detach=True)\n'
        "print(run.pid, flush=True)\nimport time\ntime.sleep(100)"
    )
    kernel = process(code, tmp_path)
    assert kernel.stdout is not None
    kernel.stdout.readline()
    pid = int(kernel.stdout.readline())
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    begin("m2_1b_exec_and_wait")._close()
    assert len(folders(tmp_path / "tmp")) == 1  # it lives
    kernel.send_signal(signal.SIGKILL)
    kernel.wait()
    kernel.stdout.close()
    begin("m2_1b_exec_and_wait")._close()
    assert folders(tmp_path / "tmp") == []
    assert until(lambda: not Path(f"/proc/{pid}").exists())


def test_where_temporary_files_may_not_be_executed_the_lesson_moves_to_the_learner_s_home(
    tmp_path: Path, as_root: None
) -> None:
    (tmp_path / "tmp").mkdir()
    code = (
        "from udock_lab.lesson import begin; lesson = begin('m2_1a_fork'); print(lesson.home); "
        "print(lesson.runtime.run('demo', ['/bin/echo', 'hi']).text); print(lesson.end().clean)"
    )
    mount = 'mount -t tmpfs -o noexec none "$TMPDIR" && exec "$0" -c "$1"'
    env = os.environ | {"TMPDIR": str(tmp_path / "tmp"), "HOME": str(tmp_path)}
    command = ["unshare", "-m", "sh", "-c", mount, sys.executable, code]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60)
    if "Operation not permitted" in done.stderr:
        pytest.skip("needs privilege: a mount namespace")
    assert done.returncode == 0, done.stderr
    _, home, said, _, clean = done.stdout.splitlines()
    assert home.startswith(f"{tmp_path}/.mdock/run/{PREFIX}")
    assert (said, clean) == ("hi", "True")
    assert not Path(home).exists()


def test_the_library_imports_nothing_heavy() -> None:
    heavy = "IPython ipywidgets anywidget psutil matplotlib elftools"
    code = f"import sys, udock_lab.lesson; print([m for m in '{heavy}'.split() if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_the_outline_is_in_order_and_every_exercise_belongs_to_a_lesson() -> None:
    slugs = [lesson.slug for lesson in outline.COURSE]
    assert slugs == sorted(set(slugs))
    assert outline.EXERCISES[0] == "m2_1_process_creation"
    assert len(outline.EXERCISES) == 7
    last = outline.after("m2_6_exec_failure")
    assert last is not None
    assert outline.after(last.slug) is None
