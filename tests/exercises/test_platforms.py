"""Submissions as Moodle, Canvas, ILIAS and Brightspace zip them: the same points, whoever zipped them; hostile zips."""

from __future__ import annotations

import csv
import json
import os
import stat
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from classroom import (
    Class,
    answer,
    handed_in,
    in_brightspace,
    in_canvas,
    in_folders,
    in_ilias,
    in_moodle,
    release,
    unzipped,
    zipped,
)
from harness import answers

from udock_lab import course as program
from udock_lab.errors import UsageError
from udock_lab.grading import unpacking
from udock_lab.grading.batch import Batch
from udock_lab.grading.platforms import place_of
from udock_lab.grading.roster import Enrolled, as_handed_in
from udock_lab.grading.submissions import Sent, find_submissions, ignored_in, roots_of
from udock_lab.grading.unpacking import unpacked

SLUG, OTHER = "m2_3_container_ids", "m2_1_process_creation"
NOTEBOOK = f"{SLUG}.ipynb"
FOUR = answer(SLUG, "wrong_a_plus_begins_at_the_end")  # of 10 points
SHAPES: dict[str, Callable[[Class, str], dict[str, str]]] = {
    "moodle": in_moodle, "canvas": in_canvas, "ilias": in_ilias, "brightspace": in_brightspace,
}  # fmt: skip


def rows(file: Path) -> dict[str, dict[str, str]]:
    with file.open(newline="") as lines:
        return {row["learner"]: row for row in csv.DictReader(lines)}


def found(place: Path, out: Path) -> list[Sent]:
    return find_submissions(place, None, roots_of(place, out))


# --- names


@pytest.mark.parametrize(
    ("path", "learner", "file"),
    [
        ("Kim Lee_4711_assignsubmission_file_/nb.ipynb", ("Moodle", "Kim Lee", "4711"), "nb.ipynb"),
        ("Kim Lee_4711_assignsubmission_file/sub/helper.py", ("Moodle", "Kim Lee", "4711"), "sub/helper.py"),
        ("m2_1/Group A-Kim Lee_4711_assignsubmission_file_nb.ipynb", ("Moodle", "Group A-Kim Lee", "4711"), "nb.ipynb"),
        ("leekim_815_90210_nb.ipynb", ("Canvas", "leekim", "815"), "nb.ipynb"),
        ("leekim_LATE_815_90210_my_nb-2.ipynb", ("Canvas", "leekim", "815"), "my_nb.ipynb"),
        ("anon_x7Yz1_90210_nb.ipynb", ("Canvas", "anon_x7Yz1", "x7Yz1"), "nb.ipynb"),
        ("hw/Submissions/Lee_Kim_k_lee_815/nb (2).ipynb", ("ILIAS", "Kim Lee", "815"), "nb.ipynb"),
        ("hw/Team 7/Lee_Kim_klee_815/Late Submission - nb.ipynb", ("ILIAS", "Kim Lee", "815"), "nb.ipynb"),
        ("hw/39786-640693 - Kim van-der Lee - Oct 10, 2025 1022 AM/nb.ipynb",
         ("Brightspace", "Kim van-der Lee", "39786"), "nb.ipynb"),
        ("39786-640693 - Kim Lee- Oct 10, 2025 1022 AM - nb.ipynb", ("Brightspace", "Kim Lee", "39786"), "nb.ipynb"),
    ],
)  # fmt: skip
def test_names_say_who_handed_in_and_what_the_file_was_called(
    path: str, learner: tuple[str, str, str], file: str
) -> None:
    place = place_of(path.split("/"))
    assert place
    assert ((place.platform, place.who, place.id), place.file) == (learner, file)


@pytest.mark.parametrize("path", ["kim/m2_1/nb.ipynb", "kim_m2_1_process_creation.ipynb", "a_b_c_1/hw/nb.ipynb", "x"])
def test_other_names_are_no_platforms(path: str) -> None:
    assert place_of(path.split("/")) is None


def test_two_of_one_name_are_two_learners_and_a_roster_knows_them_by_their_numbers(tmp_path: Path) -> None:
    files = {f"Kim Lee_{n}_assignsubmission_file_/{NOTEBOOK}": "{}" for n in (7, 8)}
    sent = found(zipped(files, tmp_path / "hw.zip"), tmp_path / "out")
    assert [one.learner for one in sent] == ["Kim Lee 7", "Kim Lee 8"]
    roster = {"-k": Enrolled("-k", "Kim Lee", participant="7"), "=k": Enrolled("=k", "Lee, Kim", participant="8")}
    assert [as_handed_in(roster, sent)[one.learner].id for one in sent] == ["-k", "=k"]


def test_a_group_is_known_by_the_name_behind_the_groups(tmp_path: Path) -> None:
    files = {f"Group A-Kim Lee_7_assignsubmission_file_/{NOTEBOOK}": "{}"}
    sent = found(zipped(files, tmp_path / "hw.zip"), tmp_path / "out")
    assert as_handed_in({"kim": Enrolled("kim", "Kim Lee")}, sent)["Group A-Kim Lee"].id == "kim"


# --- a class


def test_every_platforms_zip_gives_the_points_that_folders_give(tmp_path: Path, capsys: Any) -> None:
    """One learner needs a helper file, one has tried another notebook."""
    learners: Class = {
        "kim": {NOTEBOOK: handed_in(SLUG, "from answer_of_kim import allocate, next_id"), "answer_of_kim.py": FOUR},
        "lee": {NOTEBOOK: release(SLUG), "scratch.ipynb": {"cells": []}},
    }
    assert program.main(["grade", str(unzipped(in_folders(learners, SLUG), tmp_path / "folders" / "sent"))]) == 0
    expected = [rows(tmp_path / "folders" / "graded" / "students.csv")[name]["points"] for name in learners]
    assert expected == ["4.0", "0.0"]
    for shape, make in SHAPES.items():
        sent = zipped(make(learners, SLUG), tmp_path / shape / "download.zip")
        assert program.main(["grade", str(sent)]) == 0
        points = [row["points"] for row in rows(tmp_path / shape / "graded" / "students.csv").values()]
        assert points == expected, shape
        names = {one.learner for one in found(unzipped(make(learners, SLUG), tmp_path / shape / "as files"), tmp_path)}
        assert names == set(rows(tmp_path / shape / "graded" / "students.csv")), "unpacked it is the same class"
    assert "ignored: download.zip: m2_3_container_ids/index.html: it is no notebook" in capsys.readouterr().err


@pytest.mark.soak
@pytest.mark.timeout(10_000)
@pytest.mark.parametrize("shape", SHAPES)
def test_300_answers_of_the_corpus_have_the_same_points_in_every_shape(
    shape: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """75 learners of four exercises, each exercise in a zip of its own."""
    base = tmp_path_factory.getbasetemp() / "folders"
    if not (base / "graded" / "grades.csv").exists():
        for slug in OF_300:
            unzipped(in_folders(of_the_corpus(slug), slug), base / "sent")
        assert program.main(["grade", str(base / "sent")]) == 0
    for slug in OF_300:
        zipped(SHAPES[shape](of_the_corpus(slug), slug), tmp_path / "sent" / f"{slug}.zip")
    assert program.main(["grade", str(tmp_path / "sent")]) == 0
    assert by_number(tmp_path / "graded" / "grades.csv") == by_number(base / "graded" / "grades.csv")


OF_300 = ("m2_3_container_ids", "m2_4_metadata", "m2_5_image_lookup", "m2_6_exec_failure")


def of_the_corpus(slug: str) -> Class:
    every = answers(slug)
    return {f"l{n}": {f"{slug}.ipynb": handed_in(slug, every[n % len(every)].source)} for n in range(100, 175)}


def by_number(file: Path) -> dict[tuple[str, str], str]:
    """Points of each learner (l100, or 100 on Canvas) and exercise."""
    with file.open(newline="") as lines:
        found = {(row["learner"].lstrip("l"), row["exercise"]): row["points"] for row in csv.DictReader(lines)}
    assert len(found) == 300
    return found


def test_zips_of_several_exercises_lie_in_one_folder_and_the_newest_attempt_counts(tmp_path: Path, capsys: Any) -> None:
    sent = tmp_path / "sent"
    first, second = "7-1 - Kim Lee - Oct 9, 2025 1159 PM", "7-1 - Kim Lee - Oct 10, 2025 1022 AM"
    zipped({f"{first}/{NOTEBOOK}": json.dumps(handed_in(SLUG, FOUR))}, sent / "m2_3.zip")
    zipped({f"{second}/{NOTEBOOK}": json.dumps(release(SLUG))}, sent / "m2_3 again.zip")
    zipped({f"7-2 - Kim Lee - Oct 9, 2025 1159 PM/{OTHER}.ipynb": "{}"}, sent / "m2_1.zip")
    assert program.main(["grade", str(sent)]) == 0
    said = capsys.readouterr()
    told = f"2 handed in: {NOTEBOOK} (2025-10-10 10:22) counts, not {NOTEBOOK} (2025-10-09 23:59) (4 of 10)"
    assert f"Kim Lee, {SLUG}: {told}" in said.out
    assert rows(tmp_path / "graded" / "students.csv")["Kim Lee"]["points"] == "0.0"
    assert program.main(["collect", str(sent)]) == 0, "zips are found again, and nothing is judged again"


def test_a_learners_own_zip_is_the_learners(tmp_path: Path) -> None:
    zipped({NOTEBOOK: "{}", "helper.py": "pass"}, tmp_path / "sent" / "kim.zip")
    (one,) = found(tmp_path / "sent", tmp_path / "out")
    assert (one.learner, [name for name, _ in one.beside]) == ("kim", ["helper.py"])


# --- helper files


def test_check_finds_a_module_beside_the_notebook_and_its_lines_are_told(tmp_path: Path, capsys: Any) -> None:
    unzipped(
        {
            f"{OTHER}.ipynb": json.dumps(handed_in(OTHER, "from helper import launch")),
            "helper.py": "from deeper import launch",
            "deeper.py": "def launch(argv):\n    return nobody",
            "json.py": "raise SystemExit",
        },
        tmp_path,
    )
    assert program.main(["check", str(tmp_path / f"{OTHER}.ipynb")]) == 1
    said = capsys.readouterr().out
    assert "NameError: name 'nobody' is not defined" in said
    assert "return nobody" in said


def test_a_helper_that_changed_is_judged_again(tmp_path: Path) -> None:
    text = json.dumps(handed_in(OTHER, "from helper import launch"))
    sent = unzipped({f"kim/{SLUG}/{NOTEBOOK}": text, f"kim/{SLUG}/helper.py": "launch = 1"}, tmp_path / "sent")
    batch = Batch(tmp_path / "out")
    (one,) = find_submissions(sent)
    assert not batch.one(one).kept
    assert batch.one(one).kept
    (sent / "kim" / SLUG / "helper.py").write_text("launch = 2")
    assert batch.kept(one) is None
    assert list(ignored_in(sent, [one])) == []


# --- zips that want harm


def entry(name: str, mode: int = 0) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    return info


def test_what_a_hostile_zip_holds_is_written_nowhere_else_and_each_file_is_told(tmp_path: Path) -> None:
    home = tmp_path / "home"
    path = tmp_path / "evil.zip"
    odd = "Zo\u00eb_7_assignsubmission_file_/nb.ipynb"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../escaped", "x")
        archive.writestr(f"{tmp_path}/absolute", "x")
        archive.writestr("C:\\Windows\\x", "x")
        archive.writestr("a\\..\\..\\b", "x")
        archive.writestr(entry("link", stat.S_IFLNK | 0o777), str(home))
        archive.writestr("link/through", "x")
        archive.writestr(entry("pipe", stat.S_IFIFO | 0o666), "")
        archive.writestr("x" * 300, "x")
        archive.writestr("a//b", "x")
        archive.writestr("twice.ipynb", "first")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("twice.ipynb", "second")
        archive.writestr("file", "x")
        archive.writestr("file/below", "x")
        archive.writestr("new\nline", "x")
        archive.writestr(odd.replace("\u00eb", "##"), "{}")
    path.write_bytes(path.read_bytes().replace(b"Zo##", "Zo\u00eb".encode()))  # as a zip that says nothing of its names
    made = unpacked(path, tmp_path / "out")
    told = dict(made.left_out)
    assert {why for name, why in told.items() if ".." in name or "absolute" in name or "Windows" in name} == {
        "its name leads out of the folder"
    }
    assert (told["link"], told["pipe"], told["x" * 300]) == (
        "it is a link", "it is no ordinary file", "its name is too long",
    )  # fmt: skip
    assert told["twice.ipynb"] == "another file of this name came before"
    assert (made.folder / "twice.ipynb").read_text() == "first"
    assert (made.folder / odd).is_file()
    assert not any(one.is_symlink() for one in made.folder.rglob("*"))
    assert {one.name for one in tmp_path.iterdir()} == {"evil.zip", "out"}
    assert {one.name for one in (tmp_path / "out").iterdir()} == {made.folder.parent.name}
    assert unpacked(path, tmp_path / "out") == made


def test_a_bomb_and_a_damaged_file_cost_themselves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "MOST_OF_ONE", 1 << 20)
    monkeypatch.setattr(unpacking, "MOST_BYTES", 3 << 20)
    files: dict[str, str | bytes] = {f"bomb{n}": bytes(2 << 20) for n in range(3)}
    path = zipped({"kim.ipynb": "{}"} | files | {"late": "x"}, tmp_path / "bomb.zip")
    made = unpacked(path, tmp_path / "out")
    assert sorted(one.name for one in made.folder.iterdir()) == ["kim.ipynb"]
    assert dict(made.left_out)["bomb0"] == "it holds more than 1 MB"
    assert dict(made.left_out)["late"] == "all together holds more than 3 MB"
    data = bytearray(zipped({"kim.ipynb": "{}", "lee.ipynb": os.urandom(999)}, tmp_path / "torn.zip").read_bytes())
    data[data.index(b"lee.ipynb") + 40] ^= 255
    (tmp_path / "torn.zip").write_bytes(data)
    ((name, why),) = unpacked(tmp_path / "torn.zip", tmp_path / "out").left_out
    assert name == "lee.ipynb" and why.startswith("it is damaged")


def test_what_is_no_zip_is_said_in_a_sentence(tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "a.zip").write_bytes(b"PK\x03\x04" + bytes(100))
    with pytest.raises(UsageError, match="is no zip that can be read"):
        unpacked(tmp_path / "a.zip", tmp_path / "out")
    assert program.main(["grade", str(tmp_path / "a.zip")]) == 2
    assert "Download it again." in capsys.readouterr().err


def test_where_there_is_no_room_nothing_is_half_unpacked(tmp_path: Path) -> None:
    """A limit on the size of files stands for a disk that is full."""
    path = zipped({"kim.ipynb": os.urandom(20_000)}, tmp_path / "a.zip")
    code = (
        "import resource, sys; from pathlib import Path; from udock_lab.grading.unpacking import unpacked\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (9999, 9999))\n"
        "unpacked(Path(sys.argv[1]), Path(sys.argv[2]))"
    )
    done = subprocess.run([sys.executable, "-c", code, path, tmp_path / "out"], capture_output=True, text=True)
    assert "Nothing is unpacked." in done.stderr
    assert list((tmp_path / "out").iterdir()) == []
    assert unpacked(path, tmp_path / "out").left_out == []


def test_in_the_notebook_a_function_of_a_file_beside_it_is_judged_as_when_it_is_graded(tmp_path: Path) -> None:
    """Also where that file needs another one."""
    source = (
        "from udock_lab.grading import check\nfrom helper import launch\nprint(check('m2_1_process_creation', launch))"
    )
    unzipped(
        {
            "helper.py": "import deeper\ndef launch(argv):\n    return deeper.nothing",
            "deeper.py": "nothing = 7\n",
            "run.py": source,
        },
        tmp_path,
    )
    done = subprocess.run([sys.executable, "run.py"], cwd=tmp_path, capture_output=True, text=True)
    assert "No module named" not in done.stdout + done.stderr
    assert "no second process" in done.stdout, done.stdout + done.stderr
