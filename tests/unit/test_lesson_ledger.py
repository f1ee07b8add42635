"""``progress.json``: nothing is lost by two kernels, and no damage to it costs a lesson."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from udock_lab.errors import UsageError
from udock_lab.lesson import ledger as ledger_module
from udock_lab.lesson import progress
from udock_lab.lesson.ledger import Ledger
from udock_lab.lesson.outline import COURSE

WRITER = """
import sys
from udock_lab.lesson.ledger import Ledger
ledger = Ledger(sys.argv[1])
for number in range(25):
    ledger.put("predictions", "m2_1a_fork", f"{sys.argv[2]}{number}", {"answer": "one"})
"""


def test_four_kernels_writing_at_once_lose_nothing(home: Path) -> None:
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(home), name]) for name in "abcd"]
    assert [writer.wait(60) for writer in writers] == [0] * 4
    assert len(Ledger(str(home)).read()["predictions"]["m2_1a_fork"]) == 100
    assert [path.name for path in home.iterdir() if path.name.startswith(".progress")] == []


def test_a_reader_beside_a_writer_never_sees_half_a_file(home: Path) -> None:
    ledger = Ledger(str(home))
    ledger.put("lessons", "x", "y", {})
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(home), "a"])
    reads = 0
    while writer.poll() is None:
        json.loads(Path(ledger.path).read_text())
        reads += 1
    assert reads > 10
    assert writer.returncode == 0


@pytest.mark.parametrize("content", ["", "{", "[1, 2]", '{"lessons": 7}', "\x00\xff", "[" * 100_000])
def test_what_cannot_be_read_is_kept_aside_and_said(
    home: Path, content: str, capsys: pytest.CaptureFixture[str]
) -> None:
    home.mkdir()
    (home / "progress.json").write_bytes(content.encode("latin-1"))
    (home / "progress.json.unreadable-1").write_text("an older one")
    ledger = Ledger(str(home))
    assert ledger.read()["lessons"] == {}
    ledger.put("lessons", "m2_1a_fork", "orders", {})
    assert (home / "progress.json.unreadable-2").read_bytes() == content.encode("latin-1")
    assert (home / "progress.json.unreadable-1").read_text() == "an older one"
    assert capsys.readouterr().err.count("kept as progress.json.unreadable-2") == 1
    assert ledger.read()["lessons"] == {"m2_1a_fork": {"orders": {}}}


def test_sections_of_somebody_else_survive(home: Path) -> None:
    home.mkdir()
    (home / "progress.json").write_text('{"exercises": {"m2_4_metadata": {"score": 3}}, "later": [1]}')
    Ledger(str(home)).put("lessons", "a", "b", {"c": 1})
    found = json.loads((home / "progress.json").read_text())
    assert found["exercises"] == {"m2_4_metadata": {"score": 3}}
    assert found["later"] == [1]


def test_a_home_that_cannot_be_written_is_said_once_and_raises_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "home").write_text("a file stands here")
    ledger = Ledger(str(tmp_path / "home"))
    for _ in range(3):
        ledger.put("lessons", "a", "b", {})
        assert ledger.facts("lessons", "a", "b") == {}
    said = capsys.readouterr().err
    assert said.count("Your progress is not kept.") == 1
    assert "Traceback" not in said


def test_a_lock_that_nobody_gives_back_costs_the_entry_and_not_the_lesson(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(ledger_module, "PATIENCE", 0.05)
    ledger = Ledger(str(home))
    with Ledger(str(home))._locked():
        ledger.put("lessons", "a", "b", {})
    assert "keeps" in capsys.readouterr().err
    assert ledger.read()["lessons"] == {}


@pytest.mark.parametrize("entry", ["[]", "7", '{"done": [], "orders": 3}', '{"orders": {"a": 1, "b": {}}}'])
def test_entries_that_somebody_edited_break_no_table(home: Path, entry: str) -> None:
    home.mkdir()
    edited = '{"lessons": {"m2_1a_fork": %s}, "predictions": {"m2_1a_fork": %s}, "tickets": {"m2_1a_fork": %s}}'
    (home / "progress.json").write_text(edited % (entry, entry, entry))
    assert str(progress()).startswith(f"0 of {len(COURSE)} lessons done")


def test_each_check_of_a_changed_answer_is_a_try_whatever_its_score(home: Path) -> None:
    ledger = Ledger(str(home))
    checked = [("a", 2), ("b", 2), ("b", 2), ("c", 4), ("c", 4), ("d", 3), ("c", 4)]
    counts = [len(ledger.put_score("m2_1_process_creation", score, 8, answer)[0]) for answer, score in checked]
    assert counts == [1, 2, 2, 3, 3, 4, 5]
    assert Ledger(str(home)).put_score("m2_1_process_creation", 3, 8, "e") == ([2, 2, 4, 3, 4, 3], 4)


def test_the_same_answer_checked_again_has_its_latest_score_and_keeps_its_best(home: Path) -> None:
    ledger = Ledger(str(home))
    ledger.put_score("m2_1_process_creation", 5, 8, "a")
    assert ledger.put_score("m2_1_process_creation", 4, 8, "a") == ([4], 5)


def test_of_many_tries_the_latest_are_kept(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_module, "MOST_TRIES", 50)
    for score in range(100):
        kept, best = Ledger(str(home)).put_score("m2_2_chroot_permissions", score, 100)
    assert (kept, best) == (list(range(50, 100)), 99)


def test_tries_that_something_else_wrote_are_begun_anew(home: Path) -> None:
    ledger = Ledger(str(home))
    ledger.change(lambda data: data["exercises"].update({"m2_1_process_creation": {"tries": "none", "best": 3}}))
    assert ledger.put_score("m2_1_process_creation", 1, 7) == ([1], 3)


def test_progress_counts_what_is_done(home: Path) -> None:
    ledger = Ledger(str(home))
    ledger.change(
        lambda data: data["lessons"].update({"m2_1a_fork": {"done": True, "orders": {"a": {"solved": True}}}})
    )
    ledger.put("predictions", "m2_1a_fork", "lines", {"answer": "one", "verdict": "right"})
    ledger.put("predictions", "m2_1a_fork", "dots", {"answer": "6", "verdict": "wrong", "late": True})
    ledger.put("tickets", "m2_1a_fork", "ticket", {"right": [True, False]})
    ledger.put_score("m2_1_process_creation", 4, 5)
    ledger.put_score("m2_1_process_creation", 2.5, 5)
    lines = str(progress()).splitlines()
    assert lines[0] == f"0 of {len(COURSE)} lessons done, 1 read"
    counts = "3 of 5 answered, 2 right (1 after the run) · order found"
    assert f"  [  read  ] m2_1a Fork: one process becomes two · {counts}" in lines
    assert "  [        ] m2_2 Chroot: another root, and who may have it · 25 minutes" in lines
    kept = ledger.read()["exercises"]["m2_1_process_creation"]
    assert len(set(kept.pop("times"))) == 2
    assert kept == {
        "score": 2.5,
        "max": 5,
        "best": 4,
        "tries": [4, 2.5],
    }
    (scored,) = [line for line in lines if "★" in line]
    assert scored.endswith(" · exercise 4 of 5 ★★★★☆ after 2 tries")
    page = progress()._repr_html_()
    assert "2 right (1 after the run)" in page
    assert "4 of 5" in page


def test_reset_forgets_one_lesson_and_keeps_the_exercise(home: Path) -> None:
    ledger = Ledger(str(home))
    for slug in ("m2_1a_fork", "m2_4_metadata"):
        ledger.put("predictions", slug, "lines", {"answer": "one"})
    ledger.change(lambda data: data["exercises"].update({"m2_1_process_creation": {"score": 4}}))
    assert f"0 of {len(COURSE)}" in str(progress().reset("m2_1a_fork"))
    assert list(ledger.read()["predictions"]) == ["m2_4_metadata"]
    assert ledger.read()["exercises"] == {"m2_1_process_creation": {"score": 4}}


@pytest.mark.parametrize("slugs", [(), ("a", "b"), ("m2_1_fork",), (None,)])
def test_reset_of_no_lesson_names_the_lessons_there_are(home: Path, slugs: tuple[object, ...]) -> None:
    with pytest.raises(UsageError, match="m2_1a_fork"):
        progress().reset(*slugs)


def test_a_file_that_cannot_be_read_is_said_and_left_as_it_is(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "progress.json").mkdir(parents=True)
    ledger = Ledger(str(home))
    ledger.put("lessons", "a", "b", {})
    assert ledger.read()["lessons"] == {}
    assert (home / "progress.json").is_dir()
    assert "Your progress is not kept." in capsys.readouterr().err


def test_a_link_in_the_place_of_the_file_stays_a_link(home: Path, tmp_path: Path) -> None:
    home.mkdir()
    (tmp_path / "drive.json").write_text('{"lessons": {"m2_1a_fork": {"done": true}}}')
    (home / "progress.json").symlink_to(tmp_path / "drive.json")
    Ledger(str(home)).put("lessons", "m2_4_metadata", "orders", {})
    assert (home / "progress.json").is_symlink()
    assert list(json.loads((tmp_path / "drive.json").read_text())["lessons"]) == ["m2_1a_fork", "m2_4_metadata"]


def test_what_a_writer_that_was_killed_left_is_no_hindrance_and_goes(home: Path) -> None:
    home.mkdir()
    (home / "progress.json.new").write_text('{"lessons": {"m2_')
    Ledger(str(home)).put("lessons", "m2_1a_fork", "orders", {})
    assert sorted(path.name for path in home.iterdir()) == ["progress.json", "run"]
