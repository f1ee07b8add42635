"""``course.toml`` and what is exported by it: points of a course, lateness, attempts, groups; mistakes with their line."""

from __future__ import annotations

import csv
import json
import os
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from classroom import dump, handed_in

from udock_lab import course as program
from udock_lab.display.pages.classroom import Handed
from udock_lab.errors import UsageError
from udock_lab.grading.adjusting import Record, records, unknown_people
from udock_lab.grading.classfiles import ClassFiles, by_learner
from udock_lab.grading.courserules import SECTIONS, Rules, read_rules
from udock_lab.grading.exports import write_export
from udock_lab.grading.marks import MarkedCell, Marks, Result
from udock_lab.grading.roster import Enrolled, read_roster, titles_in
from udock_lab.grading.sources import exercise
from udock_lab.model import CheckReport, Judgement, Requirement

SLUG, OTHER = "m2_1_process_creation", "m2_3_container_ids"
PUBLIC = [(one.key, one.points) for one in exercise(SLUG).requirements]
FIRST, SECOND = PUBLIC[0][0], PUBLIC[1][0]
MOST = sum(points for _, points in PUBLIC)
DUE = datetime(2026, 11, 30, 23, 59).astimezone().timestamp()
DAY, HOUR = 86400, 3600


def marks(learner: str, held: set[str], *, refused: str = "") -> Marks:
    """A notebook of which these requirements hold, as a judge leaves it; the hidden one ``late`` is worth 2."""

    def report(kind: str, parts: list[tuple[str, float]]) -> CheckReport:
        judgements = tuple(
            Judgement(
                requirement=Requirement(key=key, name=key, points=points, lesson=""),
                passed=None if key == refused else kind + key in held, refused=key == refused,
            )
            for key, points in parts
        )  # fmt: skip
        return CheckReport(slug=SLUG, title="", judgements=judgements)

    cells = []
    for hidden, parts in ((False, PUBLIC), (True, [("late", 2.0)])):
        own = report("hidden:" if hidden else "", parts)
        cells.append(
            MarkedCell(grade_id="x", hidden=hidden, points=own.points, out_of=sum(p for _, p in parts), report=own)
        )
    points, out_of = sum(one.points for one in cells), sum(one.out_of for one in cells)
    return Marks(learner=learner, exercise=SLUG, notebook="n", points=points, out_of=out_of, cells=tuple(cells))


ALL = {*(key for key, _ in PUBLIC), "hidden:late"}


def result(learner: str, held: set[str], *, name: str = SLUG, **more: Any) -> tuple[Result, Marks]:
    made = marks(learner, held)
    handed = Handed(learner, SLUG, name, made.points, made.out_of)
    return Result(handed, f"{SLUG}.ipynb", 0, **{"changed": DUE} | more), made


def rules(tmp_path: Path, text: str) -> Rules:
    (tmp_path / "course.toml").write_text(text)
    os.utime(tmp_path / "course.toml", ns=(hash(text) % 10**15, hash(text) % 10**15))
    return read_rules(tmp_path)


def exported(
    tmp_path: Path, text: str, *handed: tuple[Result, Marks], roster: dict[str, Enrolled] | None = None
) -> dict[str, Record]:
    kept = {(one.learner, one.name): made for one, made in handed}
    of_each = by_learner([one for one, _ in handed])
    read = lambda one: kept[one.learner, one.name]  # noqa: E731
    return {one.learner: one for one in records(of_each, roster or {}, {}, rules(tmp_path, text), read)}


def points(found: dict[str, Record], learner: str = "kim", slug: str = SLUG) -> tuple[float, float]:
    one = found[learner].exercises[slug]
    return one.points, one.out_of


def test_without_a_course_file_the_points_are_the_judges(tmp_path: Path) -> None:
    found = exported(tmp_path, "", result("kim", {FIRST}))
    assert points(found) == (PUBLIC[0][1], MOST + 2)
    assert found["kim"].exercises[SLUG].requirements[FIRST] == PUBLIC[0][1]
    assert found["kim"].exercises[SLUG].requirements["hidden:late"] == 0


@pytest.mark.parametrize(
    ("text", "held", "expected"),
    [
        (f"[points]\n{SLUG} = 100", ALL, (100, 100)),
        (f"[points]\n{SLUG} = 18", {"hidden:late"}, (4, 18)),
        (f'[points.{SLUG}]\n"hidden:late" = 5', {"hidden:late"}, (5, MOST + 5)),
        (f'[dropped]\n{SLUG} = ["hidden:late"]', {FIRST}, (PUBLIC[0][1], MOST)),
        (f'[dropped]\n{SLUG} = ["{FIRST}"]', ALL, (MOST + 2 - PUBLIC[0][1],) * 2),
        (f'[extra_credit]\n{SLUG} = ["hidden:late"]', ALL, (MOST + 2, MOST)),
        (f'[dropped]\n{SLUG} = ["hidden:late"]\n[points]\n{SLUG} = 70', {FIRST}, (10 * PUBLIC[0][1], 70)),
    ],
)
def test_what_requirements_are_worth_is_the_courses(
    tmp_path: Path, text: str, held: set[str], expected: tuple[float, float]
) -> None:
    assert points(exported(tmp_path, text, result("kim", held))) == expected


def test_extra_credit_is_not_among_the_points_that_there_are(tmp_path: Path) -> None:
    found = exported(tmp_path, f"[extra_credit]\n{SLUG} = true", result("kim", ALL))["kim"]
    assert (found.points, found.out_of) == (MOST + 2, 0)


LATE = f"""
[due]
{SLUG} = 2026-11-30T23:59:00
[late]
grace = "15 minutes"
percent_a_day = 10
at_most = 40
closed_after = "1 week"
[extensions]
lee = "3 days"
max.{SLUG} = 2026-12-02
"""


@pytest.mark.parametrize(
    ("learner", "after", "share", "told"),
    [
        ("kim", -HOUR, 1, ""),
        ("kim", HOUR / 5, 1, ""),
        ("kim", HOUR / 3, 0.9, "1 day late: 10 % less"),
        ("kim", 1.5 * DAY, 0.8, "2 days late: 20 % less"),
        ("kim", 6 * DAY, 0.6, "6 days late: 40 % less"),
        ("kim", 8 * DAY, 0, "8 days late: nothing counts any more"),
        ("lee", 2 * DAY, 1, "in time, by the extension"),
        ("lee", 3.5 * DAY, 0.9, "1 day late: 10 % less"),
        ("max", 2 * DAY, 1, "in time, by the extension"),
        ("max", 2.5 * DAY, 0.9, "1 day late: 10 % less"),
    ],
)
def test_lateness_counts_from_the_deadline_and_an_extension_moves_it(
    tmp_path: Path, learner: str, after: float, share: float, told: str
) -> None:
    found = exported(tmp_path, LATE, result(learner, ALL, when=DUE + after))
    assert points(found, learner)[0] == pytest.approx((MOST + 2) * share)
    assert "; ".join(found[learner].exercises[SLUG].said) == told


def test_a_platform_that_only_says_late_is_believed_and_a_time_by_hand_counts_before_it(tmp_path: Path) -> None:
    for late, text, share in [(False, LATE, 1), (True, LATE, 0.9)]:
        found = exported(tmp_path, text, result("kim", ALL, late=late, changed=DUE + 99 * DAY))
        assert points(found)[0] == pytest.approx((MOST + 2) * share)
    by_hand = LATE + f"[handed_in]\nkim.{SLUG} = 2026-12-02T12:00:00"
    assert points(exported(tmp_path, by_hand, result("kim", ALL, late=True)))[0] == pytest.approx((MOST + 2) * 0.8)


def test_of_several_attempts_the_newest_counts_or_the_best(tmp_path: Path) -> None:
    both = [result("kim", ALL, when=DUE, label="1"), result("kim", {FIRST}, name="2", when=DUE + 9, label="2")]
    assert points(exported(tmp_path, "", *both))[0] == PUBLIC[0][1]
    found = exported(tmp_path, '[attempts]\ncounts = "best"', *both)
    assert points(found)[0] == MOST + 2
    assert found["kim"].exercises[SLUG].said == ("the best of 2 attempts counts",)


def test_points_of_before_and_by_hand_and_comments(tmp_path: Path) -> None:
    text = f"""
[earlier]
kim.{SLUG} = 7
"=lee".{SLUG} = 1
[manual]
"=lee".{SLUG} = "+1.5"
"max@x.org".{OTHER} = 4
[comments]
kim = "See me."
"=lee".{SLUG} = "Well done."
"""
    roster = {"max": Enrolled("max", "Max", "max@x.org"), "kim": Enrolled("kim")}
    found = exported(tmp_path, text, result("=lee", {FIRST, SECOND}), roster=roster)
    assert points(found) == (7, MOST + 2) and found["kim"].comment == "See me."
    said = found["=lee"].exercises[SLUG].said
    assert points(found, "=lee")[0] == PUBLIC[0][1] + PUBLIC[1][1] + 1.5
    assert said == ("by hand: +1.5", "Well done.")
    assert found["max"].exercises[OTHER].said == ("nothing was handed in", "by hand: 4")


def test_a_group_hands_in_once_and_each_member_has_the_points(tmp_path: Path) -> None:
    text = '[groups]\n"Team 7" = ["kim", "lee"]\n"Group A" = ["max"]\n'
    sent = [result("kim", ALL, group="Team 7"), result("Group A", {FIRST})]
    found = exported(tmp_path, text, *sent)
    assert sorted(found) == ["kim", "lee", "max"]
    assert [points(found, name)[0] for name in sorted(found)] == [MOST + 2, MOST + 2, PUBLIC[0][1]]


def test_whoever_is_named_and_is_not_there_is_told(tmp_path: Path) -> None:
    made = rules(tmp_path, f"[earlier]\nkin.{SLUG} = 1\n")
    assert list(unknown_people(made, ["kim"], {})) == [
        "course.toml, [earlier]: nobody here is called 'kin'. Did you mean kim?"
    ]


# --- mistakes


@pytest.mark.parametrize(
    ("text", "line", "told", "to_do"),
    [
        ("[points", 1, "cannot be read", "https://toml.io"),
        ("\n[pionts]\n", 2, "pionts: there is no such section.", "Did you mean points?"),
        ("[points]\nm2_1 = 3", 2, "points.m2_1: there is no such exercise.", "m2_1_process_creation"),
        (f"[points]\n{SLUG} = -3", 2, "a number of points", f"Write: {SLUG} = 10"),
        (f'[dropped]\n\n{SLUG} = ["start"]', 3, "there is no such requirement", "Did you mean starts?"),
        (f"[points.{SLUG}]\nstart = 2", 2, "there is no such requirement", "Did you mean starts?"),
        (f'[due]\n{SLUG} = "tomorrow"', 2, "a date and a time, without quotes", "Write: 2026-11-30T23:59:00"),
        ('[late]\ngrace = "soon"', 2, "a span of time", 'Write: "15 minutes"'),
        ("[late]\npercent = 10", 2, "late.percent: that is not known here.", "percent_a_day"),
        ("[late]\npercent_a_day = 110", 2, "from 0 to 100", "Write: percent_a_day = 10"),
        ("[extensions]\nkim = 3", 2, "a time, or a span", '"3 days"'),
        ("[manual]\nkim = 3", 2, "the exercise is to be named", f'"kim".{SLUG} = ...'),
        (f'[manual]\n"k m".{SLUG} = "good"', 2, "is no number of points", '"+1"'),
        ('[attempts]\ncounts = "last"', 2, "no choice", '"newest", or "best"'),
        ('[groups]\n"A b" = "kim"', 2, "a list of learners", '"A b" = ["kim", "lee"]'),
        (f"[hints.{SLUG}]\nstarts = 3", 2, "hints are texts", "starts ="),
        (f'[hints.{SLUG}]\nstart = "x"', 2, "there is no such requirement", "Did you mean starts?"),
        ("[exercises]\nown = 3", 2, "an exercise is a folder", "Write:"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_line_and_what_to_write(
    tmp_path: Path, text: str, line: int, told: str, to_do: str
) -> None:
    with pytest.raises(UsageError) as caught:
        rules(tmp_path, text)
    assert f"line {line}" in caught.value.message and told in caught.value.message
    assert to_do in caught.value.hint


# --- files


def sheet(path: Path) -> list[list[str]]:
    with path.open(newline="") as lines:
        return list(csv.reader(lines))


def files(tmp_path: Path, kind: str, *, requirements: bool = False) -> list[list[list[str]]]:
    roster = {
        "-kim": Enrolled("-kim", "=Kim", "k@x.org", sis_user="=7", sis_login="@kim", section="A"),
        "=no": Enrolled("=no", "No One"),
    }
    text = f'[comments]\n"-kim".{SLUG} = "=HYPERLINK(1)"\n[columns]\n{SLUG} = "Exercise 1 (4711)"'
    found = exported(tmp_path, text, result("-kim", {FIRST}, participant="12"), roster=roster)
    written = write_export(kind, tmp_path, [*found.values()], {SLUG: "Exercise 1 (4711)"}, requirements=requirements)
    return [sheet(path) for path in written]


def test_csv_has_everything_and_ids_as_they_came(tmp_path: Path) -> None:
    ((head, kim, no_one),) = files(tmp_path, "csv", requirements=True)
    assert head[:7] == [
        "learner",
        "name",
        "email",
        "points",
        "out_of",
        "Exercise 1 (4711)",
        f"Exercise 1 (4711): {FIRST}",
    ]
    assert head[-2:] == ["Exercise 1 (4711): hidden:late", "comment"]
    assert kim[:7] == ["-kim", "'=Kim", "k@x.org", "1", f"{MOST + 2:g}", "1", "1"]
    assert kim[-1] == f"{SLUG}: =HYPERLINK(1)"
    assert no_one[:3] == ["=no", "No One", ""] and not any(no_one[5:])


def test_moodle_takes_a_worksheet_for_each_assignment_and_one_gradebook(tmp_path: Path) -> None:
    gradebook, worksheet = files(tmp_path, "moodle")
    assert gradebook[0] == [
        "ID number",
        "Full name",
        "Email address",
        "Exercise 1 (4711)",
        "Exercise 1 (4711) (feedback)",
    ]
    assert gradebook[1] == ["-kim", "'=Kim", "k@x.org", "1", "'=HYPERLINK(1)"]
    assert gradebook[2] == ["=no", "No One", "", "", ""], "an empty cell changes nothing there"
    assert {"Identifier", "Grade", "Last modified (grade)", "Feedback comments"} <= set(worksheet[0])
    (row,) = [dict(zip(worksheet[0], line, strict=True)) for line in worksheet[1:]]
    assert (row["Identifier"], row["Grade"], row["Maximum Grade"]) == ("Participant 12", "1", f"{MOST + 2:g}")


def test_canvas_takes_its_own_columns(tmp_path: Path) -> None:
    ((head, most, kim, no_one),) = files(tmp_path, "canvas")
    assert head == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "Exercise 1 (4711)"]
    assert most == ["    Points Possible", "", "", "", "", f"{MOST + 2:g}"]
    assert kim == ["'=Kim", "-kim", "=7", "@kim", "A", "1"]
    assert no_one[-1] == ""


@pytest.mark.parametrize(
    ("text", "first"),
    [
        (
            "Student,ID,SIS User ID,SIS Login ID,Section,m2_1 (9)\n    Points Possible,,,,,10\nLee,815,-7,klee,A,\n",
            Enrolled("815", "Lee", "", "", "-7", "klee", "A"),
        ),
        ("Identifier,Full name,Email address\nParticipant 12,Kim Lee,k@x\n", Enrolled("Participant 12", "Kim Lee", "k@x", "12")),
        ("OrgDefinedId,Username,Last Name,First Name,Email\n#=7,klee,Lee,Kim,k@x\n", Enrolled("=7", "Kim Lee", "k@x")),
        ("First name,Last name,ID number,Email address\nKim,Lee,,k@x\n", Enrolled("k@x", "Kim Lee", "k@x")),
    ],
)  # fmt: skip
def test_a_platforms_own_list_is_a_roster(tmp_path: Path, text: str, first: Enrolled) -> None:
    (tmp_path / "list.csv").write_text(text)
    assert next(iter(read_roster(tmp_path / "list.csv").values())) == first
    assert titles_in(tmp_path / "list.csv")[0] == text.partition(",")[0]


# --- by the command


def test_grade_exports_says_hints_and_stops_before_it_judges_where_the_course_file_is_wrong(
    tmp_path: Path, capsys: Any
) -> None:
    sent = tmp_path / "Kim Lee_12_assignsubmission_file_" / f"{SLUG}.ipynb"
    dump(handed_in(SLUG, "def launch(argv):\n    return 0"), tmp_path / "sent" / sent.relative_to(tmp_path))
    (tmp_path / "course.toml").write_text(
        f'[hints.{SLUG}]\n{FIRST} = "Look at page 7."\n[manual]\n"Kim Lee".{SLUG} = 5'
    )
    words = ["grade", str(tmp_path / "sent"), "--export", "moodle", "--export", "csv"]
    assert program.main(words) == 0
    said = capsys.readouterr().out
    assert f"For import (moodle): {tmp_path}/graded/export/moodle-{SLUG}.csv" in said
    assert sheet(tmp_path / "graded" / "export" / f"moodle-{SLUG}.csv")[1][:4] == ["Participant 12", "Kim Lee", "", "5"]
    assert "Look at page 7." in (tmp_path / "graded" / "Kim Lee" / "report.html").read_text()
    judged = json.loads((tmp_path / "graded" / "Kim Lee" / f"{SLUG}.json").read_text())
    assert judged["value"]["points"] if "value" in judged else judged["points"] == 0, "a judge knows nothing of it"
    (tmp_path / "course.toml").write_text("[manual]\n\nkim = 3")
    assert program.main(words) == 2
    assert "line 3, manual.kim: the exercise is to be named." in capsys.readouterr().err


def test_check_says_the_courses_hint_for_what_failed(tmp_path: Path, capsys: Any) -> None:
    dump(handed_in(SLUG, "def launch(argv):\n    return 0"), tmp_path / f"{SLUG}.ipynb")
    (tmp_path / "course.toml").write_text(f'[hints]\n{SLUG}.{FIRST} = ["Look at page 7."]')
    assert program.main(["check", str(tmp_path / f"{SLUG}.ipynb")]) == 1
    assert "Look at page 7." in capsys.readouterr().out
    assert "Look at page 7." in exercise(SLUG, tmp_path).requirements[0].hints
    assert ClassFiles(tmp_path).hints_from is None


def test_the_course_file_of_the_documentation_is_one(tmp_path: Path) -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "lms.md").read_text()
    made = rules(tmp_path, page.split("```toml\n")[1].split("```")[0])
    assert made.points[SLUG] == 10 and made.grace == 900 and made.groups == {"Team 7": ("kim", "Lee, Max")}
    assert set(made.file.table) == set(SECTIONS) - {"exercises"} if made.file else False
