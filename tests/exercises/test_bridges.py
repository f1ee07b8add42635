"""The bridges before each exercise: as handed out they wait or fail with a word on why; done right, they are done."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest
from harness import COURSE, EXERCISES, INSTRUCTOR, SOURCE

sys.path.insert(0, str(COURSE.parent / "scripts"))

from check_names import NOTEBOOKS, SOME_PYTHON, lessons_before
from names_of_the_course import of_code, of_notebook, of_text

from udock_lab.display.html.checks import check_html
from udock_lab.display.text.checks import check_text
from udock_lab.errors import UsageError
from udock_lab.grading import ContainerRecord, ExitInfo, check
from udock_lab.grading.checking import on_the_bridge
from udock_lab.grading.graded import grade_notebook
from udock_lab.grading.handout import Handout
from udock_lab.grading.sources import exercise
from udock_lab.model import CheckReport

# By exercise: what a learner puts in the place of each ``...``, in turn, and the line that they repair.
FILLED = {
    "m2_1_process_creation": ["0", "argv[0]", "pid"],
    "m2_2_chroot_permissions": ["rootfs", '"/"', '"chroot"'],
    "m2_3_container_ids": ['b"|"', "number", 'f"c{highest + 1}"'],
    "m2_4_metadata": ["record.start_time", '"ab"', "line.encode()"],
    "m2_5_image_lookup": ['"|"', "0", "1"],
    "m2_6_exec_failure": ["write_end", "write_end", "read_end"],
    "m2_7_mdock_run": ["3", "image.encode()", "f\"Image '{image}' not found\""],
}
REPAIRED = {
    "m2_1_process_creation": ("code=status", "code=os.WEXITSTATUS(status)"),
    "m2_2_chroot_permissions": (
        "except OSError:\n",
        "except OSError as error:\n        if error.errno != errno.EPERM:\n            raise\n",
    ),
    "m2_3_container_ids": ("", ""),
    "m2_4_metadata": ("line.startswith(container_id.encode())", "fields[0] == container_id.encode()"),
    "m2_5_image_lookup": ("fields[0].startswith(name)", "fields[0] == name"),
    "m2_6_exec_failure": ("    os.read(", "    os.close(write_end)\n    os.read("),
    "m2_7_mdock_run": ("        os.execve", '        os.chdir("/")\n        os.execve'),
}
LOCKED_FIRST = """
def take(db):
    with open(f"{db}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        number = 0
        if os.path.exists(db):
            with open(db, "rb") as table:
                for line in table:
                    number = max(number, int(line.split(b"|")[0][1:]))
        with open(db, "ab") as table:
            table.write(f"c{number + 1}|{os.getpid()}\\n".encode())
    return f"c{number + 1}"
"""
# What the report says of the one to repair, as it is handed out.
SAID = {
    "m2_1_process_creation": "the raw wait status taken for the exit code",
    "m2_2_chroot_permissions": "EPERM",
    "m2_3_container_ids": "lock",
    "m2_4_metadata": "",
    "m2_5_image_lookup": "a prefix taken for a match",
    "m2_6_exec_failure": "the parent kept its own write end of the pipe",
    "m2_7_mdock_run": "its working directory is",
}


def cells(slug: str) -> dict[str, str]:
    found = json.loads((SOURCE / slug / f"{slug}.ipynb").read_text())["cells"]
    return {cell["id"]: "".join(cell["source"]) for cell in found}


def judged(
    slug: str,
    *,
    fill: bool,
    repair: bool,
    instead: tuple[str, str] = ("", ""),
    kinds: tuple[str, ...] = ("complete", "repair"),
) -> dict[str, CheckReport]:
    """Both bridges, judged as their check cells judge them; ``instead``: words, and what stands in their place."""
    there = cells(slug)
    complete, broken = there["bridge-complete"], there["bridge-repair"]
    for text in FILLED[slug] if fill else []:
        complete = complete.replace("...", text, 1)
    if repair:
        broken = broken.replace(*REPAIRED[slug]) if REPAIRED[slug][0] else f"import fcntl\n{LOCKED_FIRST}"
    complete, broken = (text.replace(*instead) if instead[0] else text for text in (complete, broken))
    names: dict[str, Any] = {"__name__": "__main__", "ExitInfo": ExitInfo, "ContainerRecord": ContainerRecord}
    exec(compile(f"{complete}\n\n{broken}", "<ipython-input-1>", "exec"), names)
    wanted = [one for one in exercise(slug).bridges if one.kind in kinds]
    return {one.kind: on_the_bridge(slug, [names[one.function]], one.kind).report for one in wanted}


@pytest.mark.in_turn(3)
@pytest.mark.parametrize("slug", EXERCISES)
def test_as_handed_out_one_waits_and_the_other_fails_with_a_word_on_why(slug: str) -> None:
    reports = judged(slug, fill=False, repair=False)
    waiting, broken = check_text(reports["complete"]), check_text(reports["repair"])
    assert "not done yet" in waiting
    assert "... is still to be filled in" in waiting
    assert " NOT " not in waiting
    assert "not done yet" in broken
    assert SAID[slug] in broken
    assert "this looks like: " in broken or "seen" in broken


@pytest.mark.in_turn(3)
@pytest.mark.parametrize("slug", EXERCISES)
def test_done_right_both_are_done(slug: str) -> None:
    for report in judged(slug, fill=True, repair=True).values():
        assert "done" in check_text(report).splitlines()[0]
        assert [one.passed for one in report.judgements if not one.refused] == [True] * len(report.judgements), (
            check_text(report)
        )
        assert report.out_of == 0


WRONG = [  # bridge, words that a learner may put in the place of the right ones, what is said of it
    ("m2_1_process_creation", "complete", ("pid == 0", "pid == 1"), "the child went the parent's way"),
    ("m2_1_process_creation", "complete", ("execv(argv[0]", "execv(argv"), "execv takes one text first"),
    ("m2_1_process_creation", "complete", ("waitpid(pid", "waitpid(0"), "they wait for any child"),
    ("m2_6_exec_failure", "complete", ("write(write_end", "write(read_end"), "nothing came through the pipe"),
    ("m2_6_exec_failure", "complete", ("os.close(write_end)", "os.close(read_end)"), "why_not raised OSError"),
    ("m2_6_exec_failure", "repair", ("os.close(write_end)", "os.close(read_end)"), "comes_back raised OSError"),
    ("m2_6_exec_failure", "repair", ("os.close(write_end)", "return"), "comes_back returned None"),
    ("m2_7_mdock_run", "complete", ("== 3", "== 99"), "look_up raised LookupError"),
    ("m2_7_mdock_run", "complete", ("image.encode()", "image"), "bytes equal no text"),
]


@pytest.mark.parametrize(("slug", "kind", "instead", "said"), WRONG)
def test_a_slip_is_told_at_once_and_by_the_name_that_the_learner_wrote(
    slug: str, kind: str, instead: tuple[str, str], said: str
) -> None:
    (report,) = judged(slug, fill=True, repair=True, instead=instead, kinds=(kind,)).values()
    text = check_text(report)
    assert "not done yet" in text
    assert said in text
    assert "to be judged again" not in text.lower()


@pytest.mark.parametrize("slug", EXERCISES)
def test_each_exercise_has_one_to_complete_and_one_to_repair_each_with_a_check_below(slug: str) -> None:
    there = cells(slug)
    for one in exercise(slug).bridges:
        assert f"def {one.function}(" in there[f"bridge-{one.kind}"]
        assert there[f"bridge-{one.kind}-check"] == f'check("{slug}", {one.function}, bridge="{one.kind}")'
        assert ("..." in there[f"bridge-{one.kind}"]) == (one.kind == "complete")
    assert [one.kind for one in exercise(slug).bridges] == ["complete", "repair"]


@pytest.mark.parametrize("slug", EXERCISES)
def test_each_takes_about_three_minutes(slug: str) -> None:
    """By the rule of scripts/check_minutes.py: 60 s a task, 8 s a line of code, 200 words a minute."""
    there = cells(slug)
    for kind in ("complete", "repair"):
        lines = [line for line in there[f"bridge-{kind}"].splitlines() if line.strip()]
        words = there[f"bridge-{kind}-text"].split()
        assert 60 + 8 * len(lines) + 60 * len(words) / 200 <= 240


@pytest.mark.parametrize("slug", EXERCISES)
def test_a_bridge_uses_only_what_the_lessons_before_it_and_the_statement_show(slug: str) -> None:
    there = cells(slug)
    known = SOME_PYTHON | {name for text in there.values() for name in of_text(text) if text.startswith("# Exercise")}
    for entry in lessons_before(slug):
        known |= of_notebook(NOTEBOOKS / entry.notebook)
    used = of_code("\n\n".join([there["bridge-complete"], there["bridge-repair"]]))
    allowed = {"ExitInfo()", "code=", "signal=", "errno=", ".image", ".pid"}  # of the values that the statement shows
    assert used - known - allowed == set()


def test_grading_passes_over_a_bridge_whatever_stands_in_it() -> None:
    """Unanswered, unreadable, with functions that do not end: what is handed in is the exercise."""
    slug = "m2_5_image_lookup"
    source = json.loads((SOURCE / slug / f"{slug}.ipynb").read_text())["cells"]
    mine = [dict(cell) for cell in source]
    for cell in mine:
        if cell["id"] == "bridge-repair":
            cell["source"] = "def exactly(db, name:\n    while True: pass\nexactly('', '')"
    notebook = json.dumps({"cells": mine, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()
    graded = grade_notebook(notebook, f"{slug}.ipynb", Handout.of_cells(source), INSTRUCTOR)
    assert [one.points for one in graded] == [one.check.points for one in graded]
    assert [one.report.notes for one in graded] == [(), ()]


def test_a_bridge_that_is_not_there_says_what_to_write() -> None:
    with pytest.raises(UsageError, match="There is no bridge 'mend'"):
        check("m2_1_process_creation", print, bridge="mend")
    with pytest.raises(UsageError, match="takes one function"):
        check("m2_1_process_creation", bridge="repair")


def test_a_report_without_points_shows_none() -> None:
    report = judged("m2_5_image_lookup", fill=True, repair=True)["repair"]
    page = str(check_html(report))
    assert "✔</span> done" in page
    assert " p</small>" not in page
