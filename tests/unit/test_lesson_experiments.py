"""The experiments of a lesson: real processes, what they found in text and HTML, and the program that ran."""

from __future__ import annotations

import ast
import errno
import inspect
import os
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from udock_lab import sandbox
from udock_lab.errors import MdockError, UsageError
from udock_lab.lesson import Lesson, begin, give_up, have_rights
from udock_lab.lesson.experiments import PROGRAMS, Experiments, programs
from udock_lab.lesson.experiments.programs import counting, racing, rewriting
from udock_lab.lesson.experiments.running import play

ALONE = {"__future__", "errno", "collections.abc", "fcntl", "os", "random", "signal", "subprocess", "sys", "time"}
OURS = {
    "udock_lab.linux.capabilities",
    "udock_lab.errors",
    "udock_lab.linux.namespaces",
    "udock_lab.linux.prctl",
    "udock_lab.linux.seccomp_filters",
    "udock_lab.runtime.steps",
}  # small, and read in lessons


@pytest.fixture(scope="module")
def lesson() -> Experiments:
    """What needs no home."""
    return Experiments()


@pytest.fixture
def begun(home: Path) -> Iterator[Lesson]:
    begun = begin("m2_2_chroot_permissions")
    yield begun
    begun._close()


# --- every one of them


@pytest.mark.parametrize("path", sorted(Path(programs.__file__).parent.glob("*.py")), ids=lambda path: path.stem)
def test_a_program_stands_alone_so_that_what_is_read_is_what_ran(path: Path) -> None:
    nodes = list(ast.walk(ast.parse(path.read_text())))
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    assert names | {node.module for node in nodes if isinstance(node, ast.ImportFrom)} <= ALONE | OURS


@pytest.mark.parametrize("name", sorted(PROGRAMS.keys() - {"give_up", "have_rights"}))
def test_the_source_of_an_experiment_is_one_call_away(lesson: Experiments, name: str) -> None:
    shown = lesson.source(getattr(lesson, name))
    assert shown.text == lesson.source(name).text == inspect.getsource(PROGRAMS[name])
    assert '"""' in repr(shown) and f"lesson.{name}" in repr(shown)


def test_a_source_that_is_not_there_is_said_with_the_nearest(lesson: Experiments) -> None:
    with pytest.raises(UsageError, match="Did you mean 'race'"):
        lesson.source("rac")
    with pytest.raises(UsageError, match="source knows no experiment"):
        lesson.source(print)


def test_a_function_that_cells_call_by_itself_has_a_source_too(lesson: Experiments) -> None:
    assert "os.setuid" in repr(lesson.source(give_up))
    assert "drop_capabilities()" in repr(lesson.source(have_rights))


def test_every_experiment_has_a_source_and_says_what_it_returns() -> None:
    made = {name for name in vars(Experiments) if not name.startswith("_")} - {"source", "ask"}
    assert made == PROGRAMS.keys() - {"give_up", "have_rights"}
    assert all(getattr(Experiments, name).__doc__ for name in made)


def test_a_program_that_fails_is_no_finding_of_nothing() -> None:
    with pytest.raises(MdockError, match="did not come to its end") as caught:
        play(racing, "race('no lock', 'many', 0)")
    assert "TypeError" in caught.value.hint


# --- races


def test_only_a_lock_of_ones_own_before_reading_makes_ids_unique(lesson: Experiments) -> None:
    found = lesson.race(processes=30)
    assert found.different.pop(racing.BEFORE) == 30
    assert set(found.different) == {*racing.WAYS} - {racing.BEFORE}
    assert max(found.different.values()) < 30
    assert found.kept[racing.ITSELF] < 30 == found.kept[racing.NO_LOCK]
    assert "<svg" not in found._repr_html_()


def test_a_small_race_is_drawn_and_its_picture_says_in_words_who_took_what(lesson: Experiments) -> None:
    found = lesson.race(racing.NO_LOCK, racing.BEFORE, processes=3)
    assert found.ids(racing.BEFORE) == "c1 c2 c3"
    assert found.ids(racing.NO_LOCK) == "c1 c1 c1"
    steps = found.taken[racing.BEFORE]
    assert all(one.ended <= after.began for one, after in pairwise(steps))
    shown = found._repr_html_()
    assert "no lock: takes c1, takes c1, takes c1; lock before reading: takes c1, takes c2, takes c3" in shown
    assert "<svg" in shown and "<details><summary>the program that ran</summary>" in shown
    assert "flock(lock, LOCK_EX)" in shown
    assert "lesson.source(lesson.race)" in repr(found)


def test_a_way_that_is_misspelt_is_said_before_anything_runs(lesson: Experiments) -> None:
    with pytest.raises(UsageError, match="Did you mean 'lock after reading'"):
        lesson.race("lock after readin")


def test_what_is_forked_by_a_race_is_gone_afterwards() -> None:
    run = sandbox.run(f"{inspect.getsource(racing)}\n__value__ = race('no lock', 4, 0)", processes=30)
    assert len(run.processes) == 5
    assert not any(process.leftover for process in run.processes)


# --- tables


def test_only_rename_leaves_a_whole_table_after_every_kill(lesson: Experiments) -> None:
    found = lesson.kill_repeatedly(times=25)
    assert list(found.seen) == [*rewriting.WAYS]
    assert all(sum(looks.values()) == 25 for looks in found.seen.values())
    assert found.seen["rename"] == {"whole": 25, "empty": 0, "torn": 0}
    assert found.seen["in place"]["empty"] == 0 < found.seen["in place"]["torn"]
    assert found.always_whole == "rename"


def test_a_reader_beside_a_writer_finds_what_no_kill_explains(lesson: Experiments) -> None:
    found = lesson.read_beside("truncate", "rename", seconds=0.3)
    assert found.seen["truncate"]["empty"] + found.seen["truncate"]["torn"] > 0
    assert found.always_whole == "rename"
    shown = found._repr_html_()
    looks = found.seen["rename"]["whole"]
    assert f"rename: whole {looks}, empty 0, torn 0" in shown and "<svg" in shown
    assert f"rename    {looks}" in repr(found)


def test_close_sends_nothing_to_the_disk_and_fsync_all(lesson: Experiments) -> None:
    sent = lesson.write_and_delete().sent
    if min(sent.values()) < 0:
        pytest.skip(f"needs a disk that the kernel counts: {sent}")
    assert sent[counting.CLOSE] == 0
    assert sent[counting.FSYNC] >= counting.SIZE


def test_a_container_whose_mdock_was_killed_is_still_recorded(begun: Lesson) -> None:
    orphan = begun.kill_mdock_midway()
    assert (orphan.record.status.value, orphan.alive, orphan.command) == ("running", False, "/bin/sleep 60")


# --- another root


def _in_its_root() -> None:
    print("user", os.getuid())
    os.chroot("/")
    give_up()
    try:
        os.chroot("/")
    except OSError as error:
        print(errno.errorcode[error.errno])


def test_a_function_is_root_in_its_sandbox_until_it_gives_up(begun: Lesson, capsys: pytest.CaptureFixture[str]) -> None:
    if not (begun.chroot or begun.userns):
        pytest.skip("needs privilege: chroot, or user namespaces")
    assert begun.as_root(_in_its_root).lines == ("user 0", "EPERM")
    assert "user 0\nEPERM\n" in capsys.readouterr().out


def test_who_may_not_chroot_is_shown_the_recording_of_that_name(begun: Lesson, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(begun), "permits", lambda lesson, feature: False)
    assert "out again" in begun.as_root(_in_its_root, "escape").stdout
    alone = begun.run_alone("/bin/ls").failure
    assert alone is not None and "ELF loader" in alone.message
    assert begun.run_three_ways().changed is None


def test_one_file_is_no_image_and_three_ways_see_two_roots(begun: Lesson) -> None:
    if not (begun.chroot or begun.userns):
        pytest.skip("needs privilege: chroot, or user namespaces")
    assert begun.run_alone("/bin/ls").exit_code == 127
    found = begun.run_three_ways()
    sees = {way: said for way, _, said in found.table.rows}
    assert sees["without the right"] == "/ is this machine"
    assert not begun.chroot or sees["with your rights"] == "/ is the image"
    assert "Running with chdir only" in repr(found)
    if begun.userns:
        assert sees["with --userns"] == "/ is the image"
        assert "user namespace" in repr(found) and "root directory" in found._repr_html_()


# --- lookup, endings, terminals


def test_a_search_takes_longer_among_more_images(begun: Lesson) -> None:
    found = begun.time_searches(10, 10_000)
    assert found.milliseconds[10_000] > 5 * found.milliseconds[10] > 0
    assert found.run > 0
    assert "10,000: " in found._repr_html_() and "one whole mdock run" in repr(found)
    assert not Path(begun.home, "many.db").exists()


def test_odd_programs_are_eight_and_can_be_made_twice(begun: Lesson) -> None:
    begun.make_odd_programs()
    odd = begun.make_odd_programs()
    there = {name for name in odd.names if os.path.lexists(odd.path(name))}
    assert there == {*odd.names} - {"no-file"} and len(odd.names) == 8
    assert os.stat(odd.path("not-executable")).st_mode & 0o111 == 0


def test_what_is_typed_in_a_terminal_is_in_the_lessons_home(begun: Lesson, capfd: pytest.CaptureFixture[str]) -> None:
    assert begun.type_mdock("run nosuchimage") == [125]
    assert "Image 'nosuchimage' not found" in capfd.readouterr().out
    assert begun.type_mdock("run demo /bin/true", times=3) == [0, 0, 0]
    assert {container.id for container in begun.runtime.ps()} == {"c1", "c2", "c3"}


def test_ask_says_that_it_needs_a_notebook(begun: Lesson) -> None:
    with pytest.raises(UsageError, match="needs a notebook"):
        begun.ask("ps")
