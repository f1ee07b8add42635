"""Hostile submissions in what a platform zips: no harm, no point more, and no neighbour touched."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from classroom import Class, handed_in, in_brightspace, in_canvas, in_ilias, in_moodle, zipped
from test_hostile import ATTACKS, SECRET, Target, our_code, target, walls
from test_hostile_notebooks import CHAIN

from udock_lab.grading.batch import Batch
from udock_lab.grading.classfiles import ClassFiles
from udock_lab.grading.marks import read_marks, reports_of
from udock_lab.grading.submissions import Sent, find_submissions, roots_of

__all__ = ["target", "walls"]  # fixtures

SLUG = "m2_1_process_creation"
NOTEBOOK = f"{SLUG}.ipynb"
HONEST = "import os\ndef launch(argv):\n    return os.fork() and None"
SHAPES: list[Callable[[Class, str], dict[str, str]]] = [in_moodle, in_canvas, in_ilias, in_brightspace]
FEW = [path for path in ATTACKS if path.stem in ("attack_at_import", "read_secrets")]
KINDS = len(ATTACKS)


def travels(attacks: list[Path], shape: Callable[[Class, str], dict[str, str]], target: Target, place: Path) -> None:
    """Each attack is a notebook's answer, and the same in a helper file; an honest neighbour and two that are no notebooks."""
    sources = {path.stem.replace("_", ""): target.aim(path.read_text()) for path in attacks}
    learners: Class = {"honest": {NOTEBOOK: handed_in(SLUG, HONEST)}}
    learners |= {name: {NOTEBOOK: handed_in(SLUG, source)} for name, source in sources.items()}
    learners |= {
        f"{name}beside": {NOTEBOOK: handed_in(SLUG, "from helper import launch"), "helper.py": source}
        for name, source in sources.items()
    }
    learners |= {"deep": {NOTEBOOK: '{"cells":' * 100_000}, "chain": {NOTEBOOK: handed_in(SLUG, CHAIN)}}
    before = our_code()
    sent = zipped(shape(learners, SLUG) | {"../../escaped.py": "x"}, place / "sent.zip")
    found = find_submissions(sent, None, roots_of(sent, place / "graded"))
    assert len(found) == len(learners)
    batch = Batch(place / "graded")
    results = batch.grade(found, 2, lambda result: None)
    ClassFiles(batch.out).write(results)
    of_each = dict(zip(learners, by_number(found), strict=True))
    earned = {(one.learner, one.name): one.handed.points for one in results}
    points = {name: earned[one.learner, one.name] for name, one in of_each.items()}
    for name, source in sources.items():
        earns = float((re.findall(r"^# earns: (\d+)$", source, re.MULTILINE) or ["0"])[0])
        for each in (name, f"{name}beside"):  # the public half, of which the file speaks
            made = read_marks(batch.place(of_each[each]))
            assert made and sum(one.points for one in reports_of(made)) <= earns, each
    assert (points["honest"], points["deep"], points["chain"]) == (1.0, 0.0, 0.0)
    assert target.untouched() and our_code() == before
    assert sorted(one.name for one in place.iterdir() if one.name not in ("home", "course")) == ["graded", "sent.zip"]
    assert not [path for path in batch.out.rglob("*.html") if SECRET in path.read_text()]
    with pytest.raises(BlockingIOError):  # nobody has called
        target.server.accept()


def by_number(found: list[Sent]) -> list[Sent]:
    """As the learners stand in their class: by the number in the names, which is all that Canvas shows of them."""

    def number(one: Sent) -> int:
        inside = str(one.path).rpartition("/files/")[2]
        return int(re.findall(r"(?:^|_|/)(1\d\d)(?:_|-|/)", inside)[0])

    return sorted(found, key=number)


@pytest.mark.usefixtures("walls")
def test_a_few_attacks_travel_in_a_zip(target: Target, tmp_path: Path) -> None:
    travels(FEW, in_canvas, target, tmp_path)


@pytest.mark.soak
@pytest.mark.timeout(3000)
@pytest.mark.usefixtures("walls")
@pytest.mark.parametrize("at", range(len(SHAPES)), ids=lambda at: SHAPES[at].__name__)
def test_every_attack_travels_in_a_zip(at: int, target: Target, tmp_path: Path) -> None:
    assert KINDS >= 12
    travels(ATTACKS[at :: len(SHAPES)], SHAPES[at], target, tmp_path)
