"""Exports: what goes in comes back, nothing that is there is lost, and an enemy's file changes nothing."""

from __future__ import annotations

import io
import json
import os
import signal
import struct
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from udock_lab.course import lay_out, main
from udock_lab.errors import UsageError
from udock_lab.lesson.ledger import Ledger
from udock_lab.work import bounds, bringing, exported, folder
from udock_lab.work.exported import pack, read_export

PROGRESS = {"exercises": {"m2_1_process_creation": {"score": 4, "best": 4, "max": 5, "tries": [4], "times": [5.0]}}}
LESSON = "m2_1a_fork.ipynb"


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A course folder, in which the current folder is."""
    lay_out(tmp_path / "udock-lab")
    monkeypatch.chdir(tmp_path / "udock-lab")
    return tmp_path / "udock-lab"


def snapshot(place: Path) -> dict[str, tuple[bytes, int]]:
    files = (path for path in place.rglob("*") if path.is_file())
    return {str(path): (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


def worked(place: Path, text: str) -> None:
    """A learner's notebook, as it may be: ``text`` is in it."""
    content = json.loads((place / LESSON).read_text())
    content["cells"][1]["source"] = [text]
    (place / LESSON).write_text(json.dumps(content))


# --- from one machine to another


def test_work_comes_back_on_a_machine_that_has_nothing(
    home: Path, course: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    worked(course, "my work")
    (course / "exercises/mine").mkdir()
    (course / "exercises/mine/notes.md").write_text("mine")
    (course / "helper.py").write_text("")
    Ledger(str(home)).put_score("m2_1_process_creation", 4, 5)
    assert main(["export", str(tmp_path / "work.udock")]) == 0
    assert "Not in it: helper.py (only notebooks and texts are packed)." in capsys.readouterr().out
    monkeypatch.setenv("HOME", str(tmp_path / "elsewhere"))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert main(["import", str(tmp_path / "work.udock")]) == 0
    there = tmp_path / "elsewhere/udock-lab"
    assert (there / LESSON).read_bytes() == (course / LESSON).read_bytes()
    assert (there / "exercises/mine/notes.md").read_text() == "mine"
    assert Ledger(str(tmp_path / "elsewhere/.mdock")).read()["exercises"]["m2_1_process_creation"]["tries"] == [4]
    assert "answers, tries and points merged; 2 files brought back" in capsys.readouterr().out
    before = snapshot(tmp_path / "elsewhere")
    assert main(["import", str(tmp_path / "work.udock")]) == 0
    assert snapshot(tmp_path / "elsewhere") == before
    assert "all of it was here already" in capsys.readouterr().out


def test_what_nobody_changed_is_not_packed(course: Path, tmp_path: Path, home: Path) -> None:
    main(["export", str(tmp_path / "work.udock")])
    assert read_export(tmp_path / "work.udock").files == {}


def test_of_a_notebook_that_differs_both_are_kept_once(home: Path, course: Path, tmp_path: Path) -> None:
    worked(course, "work of yesterday")
    main(["export", str(tmp_path / "work.udock")])
    worked(course, "work of today")
    for _ in range(2):
        assert main(["import", str(tmp_path / "work.udock")]) == 0
    assert "work of today" in (course / LESSON).read_text()
    assert "work of yesterday" in (course / "m2_1a_fork.imported.ipynb").read_text()
    assert len(list(course.glob("m2_1a_fork*"))) == 2


def test_what_lies_beside_already_is_not_written_over(home: Path, course: Path, tmp_path: Path) -> None:
    for text in ("first", "second"):
        (tmp_path / f"{text}.udock").write_bytes(pack({}, {LESSON: text.encode()}))
    worked(course, "mine")
    for text in ("first", "second"):
        main(["import", str(tmp_path / f"{text}.udock")])
    assert (course / "m2_1a_fork.imported.ipynb").read_text() == "first"
    assert (course / "m2_1a_fork.imported2.ipynb").read_text() == "second"


def test_tries_of_both_machines_are_there_and_the_better_score(home: Path, course: Path, tmp_path: Path) -> None:
    (tmp_path / "work.udock").write_bytes(pack(PROGRESS, {}))
    Ledger(str(home)).put_score("m2_1_process_creation", 2, 5)
    main(["import", str(tmp_path / "work.udock")])
    facts = Ledger(str(home)).read()["exercises"]["m2_1_process_creation"]
    assert (facts["best"], facts["score"], facts["tries"]) == (4, 2, [4, 2])


def test_start_takes_in_a_file_that_was_dropped_and_not_its_own_exports(
    home: Path, course: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    worked(course, "mine")
    main(["export"])
    worked(course, "newer")
    (course / "dropped.udock").write_bytes(pack(PROGRESS, {"mine.ipynb": b"{}"}))
    (course / "broken.udock").write_bytes(b"PK nothing")
    (course / "pipe.udock").symlink_to("/dev/zero")
    os.mkfifo(course / "fifo.udock")
    capsys.readouterr()
    for _ in range(2):
        assert main(["start", str(course), "--no-lab"]) == 0
    said = capsys.readouterr().out
    assert said.count("dropped.udock: answers, tries and points merged; 1 file brought back.") == 1
    assert said.count("broken.udock is not taken in") == 2
    assert "udock-lab-" not in said.replace(str(course), "")
    assert (course / "mine.ipynb").read_text() == "{}"
    assert not list(course.glob("*.imported*"))


def test_whatever_is_wrong_with_a_dropped_file_the_course_opens(
    home: Path, course: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a fault of ours")

    (course / "dropped.udock").write_bytes(pack(PROGRESS, {}))
    monkeypatch.setattr("udock_lab.lesson.keeping.bring_in", fails)
    assert main(["start", str(course), "--no-lab"]) == 0
    said = capsys.readouterr().out
    assert "dropped.udock was not brought in and stays where it is: ZeroDivisionError: a fault of ours" in said
    assert (course / "dropped.udock").exists()


def test_without_a_course_folder_the_progress_is_packed_and_nothing_else_of_this_place(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "private.ipynb").write_text("{}")
    Ledger(str(home)).put_score("m2_1_process_creation", 4, 5)
    assert main(["export", "work.udock"]) == 0
    found = read_export(tmp_path / "work.udock")
    assert (found.files, list(found.progress["exercises"])) == ({}, ["m2_1_process_creation"])
    assert "No notebook is in it" in capsys.readouterr().out


def test_too_large_a_file_is_left_out_and_named(
    home: Path, course: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(folder, "MOST_IN_ONE", 1 << 20)
    (course / "large.md").write_bytes(b"x" * ((1 << 20) + 1))
    (course / "link.md").symlink_to("/etc/passwd")
    main(["export", str(tmp_path / "work.udock")])
    said = capsys.readouterr().out
    assert "Not in it: large.md (it is larger than 1 MiB)." in said
    assert "Not in it: link.md (it is a link, a pipe or a device)." in said
    assert read_export(tmp_path / "work.udock").files == {}


# --- what is no export


def zipped(**entries: object) -> bytes:
    """An export with more, or other, entries; a name's ``/`` is written ``__``."""
    data = io.BytesIO()
    given = {"udock-lab.json": '{"export": 1}', "progress.json": "{}"} | entries
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in given.items():
            if content is not None:
                archive.writestr(name, content)  # type: ignore[arg-type]
    return data.getvalue()


def with_link() -> bytes:
    data = io.BytesIO(zipped())
    with zipfile.ZipFile(data, "a") as archive:
        entry = zipfile.ZipInfo("course/link.md")
        entry.external_attr = 0o120777 << 16
        archive.writestr(entry, "/etc/passwd")
    return data.getvalue()


def twice() -> bytes:
    data = io.BytesIO(zipped())
    with zipfile.ZipFile(data, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("progress.json", "{}")
    return data.getvalue()


def lying_about_its_size() -> bytes:
    """A bomb whose list of contents says that it is small."""
    data = bytearray(zipped(**{"course/a.md": b"\0" * (bounds.MOST_IN_ONE + 2)}))
    place = data.rfind(b"PK\x01\x02")
    data[place + 24 : place + 28] = struct.pack("<L", 10)
    return bytes(data)


def encrypted() -> bytes:
    data = bytearray(zipped(**{"course/a.md": "secret"}))
    place = data.rfind(b"PK\x01\x02")
    data[place + 8] |= 1
    return bytes(data)


def many() -> bytes:
    return zipped(**{f"course/{number}.md": "" for number in range(bounds.MOST_FILES + 1)})


def newer(**about: int) -> bytes:
    return zipped(**{"udock-lab.json": json.dumps(about)})


ENEMIES: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "it is empty"),
    "other": (lambda: b"%PDF-1.7", "it is no export of udock-lab"),
    "a notebook": (lambda: b'{"cells": []}', "it is no export of udock-lab"),
    "another zip": (lambda: zipped(**{"udock-lab.json": None}), "no export of udock-lab"),
    "cut off": (lambda: zipped()[:-30], "cut off"),
    "damaged": (lambda: zipped(**{"course/a.md": "x" * 99}).replace(b"course/a.md", b"course/b.md", 1), "damaged"),
    "leads out": (lambda: zipped(**{"course/../../x.md": ""}), "leads out"),
    "absolute": (lambda: zipped(**{"/etc/x.md": ""}), "only the course's files"),
    "absolute inside": (lambda: zipped(**{"course//etc/x.md": ""}), "leads out"),
    "backslash": (lambda: zipped(**{"course/..\\x.md": ""}), "characters"),
    "hidden": (lambda: zipped(**{"course/.ipython/x.md": ""}), "hidden"),
    "the list itself": (lambda: zipped(**{"course/.udock-lab.json": ""}), "hidden"),
    "a program": (lambda: zipped(**{"course/random.py": ""}), "only notebooks and texts"),
    "a folder that is a file": (lambda: zipped(**{"course/a.md": "", "course/a.md/b.md": ""}), "is a file there"),
    "a link": (with_link, "symbolic link"),
    "two of one name": (twice, "two files of one name"),
    "a bomb": (lambda: zipped(**{"course/a.md": b"\0" * (bounds.MOST_IN_ONE + 1)}), "come out of it"),
    "a bomb in parts": (
        lambda: zipped(**{f"course/{n}.md": b"\0" * bounds.MOST_IN_ONE for n in range(5)}), "come out of it"),
    "a bomb that lies": (lying_about_its_size, "damaged"),
    "encrypted": (encrypted, "encrypted"),
    "too many": (many, "more than 1000 files"),
    "newer": (lambda: newer(export=2), "newer udock-lab"),
    "newer progress": (lambda: zipped(**{"progress.json": '{"schema": 9}'}), "newer udock-lab"),
    "no schema": (lambda: newer(exported=1), "which schema"),
    "other JSON": (lambda: zipped(**{"progress.json": "[1]"}), "something else"),
    "no progress": (lambda: zipped(**{"progress.json": '{"lessons": [1]}'}), "no answers and points"),
    "no number": (lambda: zipped(**{"progress.json": '{"exercises": {"a": {"best": NaN}}}'}), "no JSON"),
    "an endless number": (lambda: zipped(**{"progress.json": '{"exercises": {"a": {"best": 1e999}}}'}), "no JSON"),
    "deep": (lambda: zipped(**{"progress.json": '{"later": ' + "[" * 900 + "]" * 900 + "}"}), "no answers and points"),
    "very deep": (lambda: zipped(**{"progress.json": "[" * 10**6}), "no JSON"),
}  # fmt: skip


@pytest.mark.parametrize("enemy", ENEMIES)
def test_what_is_no_export_is_refused_in_a_sentence_and_changes_nothing(
    home: Path, course: Path, tmp_path: Path, enemy: str, capsys: pytest.CaptureFixture[str]
) -> None:
    make, why = ENEMIES[enemy]
    (tmp_path / "work.udock").write_bytes(make())
    Ledger(str(home)).put_score("m2_1_process_creation", 2, 5)
    before = snapshot(tmp_path)
    assert main(["import", str(tmp_path / "work.udock")]) in (1, 2)
    said = capsys.readouterr().err
    assert said.startswith("udock-lab: work.udock is not taken in: ")
    assert why in said
    assert "Nothing was changed." in said
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo, lambda path: os.symlink("/dev/zero", path)])
def test_a_folder_a_pipe_and_a_device_are_refused_at_once(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "work.udock")
    with pytest.raises(UsageError, match="is not taken in: it is"):
        read_export(tmp_path / "work.udock")


def test_a_name_that_leads_out_is_refused_before_anything_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    assert bounds.wrong_with_name("a/../../b.md")
    assert bounds.wrong_with_name("x" * 300 + ".md")
    assert bounds.wrong_with_name("a\0.md")
    assert not bounds.wrong_with_name("exercises/m2/Übung 1.ipynb")


# --- a disk that is full, a process that is killed


def test_where_there_is_no_room_nothing_is_changed(
    home: Path, course: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "work.udock").write_bytes(pack(PROGRESS, {"a.md": b"a" * 9999, "b.md": b"b" * 9999}))
    before = snapshot(course)
    code = (
        "import resource, signal, sys\nfrom udock_lab.course import main\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\nresource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000))\n"
        "sys.exit(main(['import', sys.argv[1]]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "work.udock")], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    assert "What was here is as it was." in done.stderr
    assert snapshot(course) == before
    assert not (home / "progress.json").exists()


def test_an_import_that_is_killed_at_any_moment_leaves_whole_files_and_goes_on_where_it_was(
    home: Path, course: Path, tmp_path: Path
) -> None:
    new = {f"notes{number}.md": b"%d" % number * 20_000 for number in range(60)}
    worked(course, "mine")
    (tmp_path / "work.udock").write_bytes(pack(PROGRESS, {**new, LESSON: b"theirs" * 5000}))
    mine = (course / LESSON).read_bytes()
    code = "import sys; from udock_lab.course import main; print('go', flush=True); main(['import', sys.argv[1]])"
    killed = 0
    for delay in (0.0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4):
        process = subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path / "work.udock")], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        killed += process.wait(60) == -signal.SIGKILL
        process.stdout.close()
        assert (course / LESSON).read_bytes() == mine
        assert all((course / name).read_bytes() == data for name, data in new.items() if (course / name).exists())
        if (home / "progress.json").exists():
            assert json.loads((home / "progress.json").read_text())["exercises"] == PROGRESS["exercises"]
    assert killed
    assert main(["import", str(tmp_path / "work.udock")]) == 0
    assert {name: (course / name).read_bytes() for name in new} == new
    assert (course / "m2_1a_fork.imported.ipynb").read_bytes() == b"theirs" * 5000
    assert not (course / bringing._STAGE).exists()


def test_a_file_that_comes_into_being_meanwhile_is_not_written_over(
    home: Path, course: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """JupyterLab saves whenever it likes."""
    real = os.link

    def saved_just_then(source: Path, target: Path) -> None:
        if Path(target).name == "new.ipynb":
            Path(target).write_text("saved just then")
        real(source, target)

    monkeypatch.setattr(os, "link", saved_just_then)
    (tmp_path / "work.udock").write_bytes(pack({}, {"new.ipynb": b"theirs"}))
    main(["import", str(tmp_path / "work.udock")])
    assert (course / "new.ipynb").read_text() == "saved just then"
    assert (course / "new.imported.ipynb").read_text() == "theirs"


def test_an_export_says_its_schema() -> None:
    with zipfile.ZipFile(io.BytesIO(pack({}, {}))) as archive:
        assert json.loads(archive.read("udock-lab.json"))["export"] == exported.SCHEMA
        assert json.loads(archive.read("progress.json")) == {"schema": exported.PROGRESS_SCHEMA}
