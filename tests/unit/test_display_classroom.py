"""The page of a class: who needs a look comes first, and what was failed most is counted."""

from __future__ import annotations

import re

from udock_lab.display.html.checks import check_html
from udock_lab.display.markup import card, for_light_pages, html
from udock_lab.display.pages.classroom import Failed, Handed, Work, class_page, learner_page
from udock_lab.model import CheckReport, Judgement, Requirement


def report(*passed: bool | None, looks_like: str = "", seen: str = "seen") -> CheckReport:
    judgements = tuple(
        Judgement(
            requirement=Requirement(key=f"r{number}", name=f"requirement {number}", points=1, lesson='m2_1a, "Action"'),
            passed=one,
            expected="expected",
            seen=seen,
            looks_like=looks_like if one is False else "",
            why="not judged until the requirement above holds" if one is None else "",
        )
        for number, one in enumerate(passed, 1)
    )
    return CheckReport(slug="m2_1", title="a title", judgements=judgements)


def work(learner: str, exercise: str, shown: CheckReport | None, trouble: str = "", *, lost: float = 0) -> Work:
    """A submission; one without a report was not judged, for the reason that ``trouble`` is."""
    points, out_of = (shown.points, shown.out_of) if shown else (0.0, 3.0)
    failures = (
        tuple(Failed(j.requirement.name, j.looks_like) for j in shown.judgements if j.passed is False) if shown else ()
    )
    why = "" if shown else trouble.removeprefix("not judged: ")
    handed = Handed(learner, exercise, exercise, points, out_of, lost, why, trouble, failures)
    return Work(handed, [shown] if shown else [], "" if shown else f"{why}\nAsk for it again.")


WORKS = [
    work("full", "m2_1", report(True, True, True)),
    work("none", "m2_1", report(False, None, None, looks_like="a <guess>"), "no points; this looks like: a <guess>"),
    work("half", "m2_1", report(True, False, None)),
    work("half", "m2_2", report(True, True, True)),
    work("part", "m2_1", report(True, True, None), "1 point could not be judged on this machine", lost=1),
    work("odd & even", "m2_1", None, "not judged: it is not a notebook"),
]
CLASS = [one.handed for one in WORKS]


def rows_of(title: str) -> list[list[str]]:
    """The cells of the table below a heading, as text."""
    section = re.split(f"<h2[^>]*>{title}</h2>", class_page(CLASS))[1].split("</section>")[0]
    cells = [re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row) for row in section.split("<tr>")[2:]]
    return [[" ".join(re.sub(r"<[^>]+>", "", cell).split()) for cell in row] for row in cells]


def test_what_was_not_judged_comes_before_what_earned_nothing() -> None:
    assert rows_of("Who needs a look") == [
        ["odd &amp; even", "m2_1", "not judged: it is not a notebook"],
        ["part", "m2_1", "1 point could not be judged on this machine"],
        ["none", "m2_1", "no points; this looks like: a &lt;guess&gt;"],
    ]


def test_each_exercise_says_how_many_did_well_and_how_many_did_not() -> None:
    assert [row[:5] for row in rows_of("The exercises")] == [
        ["m2_1", "5", "1", "1 of 3", "2"],
        ["m2_2", "1", "1", "3 of 3", "0"],
    ]


def test_failures_are_counted_over_the_class_with_their_most_frequent_cause() -> None:
    assert rows_of("What most learners fail") == [
        ["m2_1", "requirement 1", "1 of 5", "a &lt;guess&gt;"],
        ["", "requirement 2", "1 of 5", ""],
    ]


def test_everybody_has_a_row_and_what_is_missing_is_said() -> None:
    rows = {row[0]: row[1:] for row in rows_of("Everybody")}
    assert rows["half"] == ["4 of 6 2 of 2 in", "1 of 3", "3 of 3 ✔"]
    assert rows["full"] == ["3 of 6 1 of 2 in", "3 of 3 ✔", "not handed in"]
    assert rows["odd &amp; even"] == ["0 of 6 1 of 2 in", "0 of 3 ✖ not judged", "not handed in"]


def test_a_class_without_trouble_says_so() -> None:
    page = class_page(CLASS[:1])
    assert "Nobody: everything was judged" in page
    assert "Nothing: every requirement that was judged holds." in page


def test_a_learners_page_numbers_the_hidden_half_as_the_statement_does() -> None:
    halves = [report(True, True, True), report(True, False)]
    page = learner_page("half", [Work(Handed("half", "m2_1", "m2_1", 4, 5), halves)])
    assert "3. requirement 3" in page
    assert "5. requirement 2" in page
    assert "4 of 5" in page


def test_why_several_in_a_row_were_not_judged_is_said_once() -> None:
    assert check_html(report(False, None, None, None)).count("not judged until the requirement above holds") == 1


def test_a_card_for_a_light_page_has_no_dark_colours() -> None:
    shown = card(html("<p>body</p>"), "label")
    assert "prefers-color-scheme" in shown
    bright = for_light_pages(shown)
    assert "prefers-color-scheme" not in bright
    assert bright.count("{") == bright.count("}")
    assert bright.endswith("<p>body</p></section>")
