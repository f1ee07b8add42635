"""M2.5 is judged requirement by requirement: one mistake costs what it breaks, and what is left open costs nothing."""

from __future__ import annotations

import re

import pytest
from harness import both_halves

from udock_lab.grading import Submission, judge
from udock_lab.grading.exercises.m2_5_image_lookup.questions import all_questions, probes
from udock_lab.model import CheckReport

SLUG = "m2_5_image_lookup"
SEARCH = """
import os

def find_image_by_name(db, name):
    try:
        with open(db, "rb") as file:
            for line in file:
                fields = line.removesuffix(b"\\n").split(b"|")
                if len(fields) == 3 and all(fields) and fields[0] == name.encode():
                    GIVE
    except FileNotFoundError:
        pass
    END
"""
PASS_OVER = """try:
                        return fields[1].decode()
                    except UnicodeDecodeError:
                        continue"""


def asked(give: str = "return fields[1].decode()", end: str = "return None", hidden: bool = False) -> CheckReport:
    """The report on a search that gives what it finds in that way, and ends in that."""
    source = SEARCH.replace("GIVE", give).replace("END", end)
    return judge(both_halves(SLUG)[hidden], Submission(source=source), at_once=2)


def failed(report: CheckReport) -> list[str]:
    return [judgement.requirement.key for judgement in report.judgements if judgement.passed is False]


def waiting(report: CheckReport) -> list[str]:
    return [judgement.requirement.key for judgement in report.judgements if judgement.passed is None]


@pytest.mark.parametrize(
    ("give", "end", "fails"),
    [
        ("return fields[1]", "return None", ["finds"]),
        ("import pathlib; return pathlib.Path(os.fsdecode(fields[1]))", "return None", ["finds", "path"]),
        ("return fields[1].decode()", "raise LookupError(name)", ["none"]),
        ("return fields[1].decode()", "return ''", ["none"]),
        ("return fields[1].decode('latin-1')", "return None", ["path", "damaged"]),
        ("return fields[1].decode('ascii')", "return None", ["path"]),
        ("return fields[1].decode(errors='replace')", "return None", ["damaged"]),
    ],
)
def test_one_mistake_costs_what_it_breaks(give: str, end: str, fails: list[str]) -> None:
    report = asked(give, end)
    assert (failed(report), waiting(report)) == (fails, [])


@pytest.mark.parametrize(
    "give",
    [PASS_OVER, "return fields[1].decode()", "return os.fsdecode(fields[1])"],
    ids=["passed", "raised", "escaped"],
)
def test_a_path_that_is_no_text_may_be_passed_over_refused_or_escaped(give: str) -> None:
    assert asked(give).points == 8


@pytest.mark.parametrize("time", ["line.decode()", "fields[0].decode()"])
def test_whether_a_time_that_is_no_text_makes_a_line_damaged_is_not_judged(time: str) -> None:
    give = f"""try:
                        {time}
                        return fields[1].decode()
                    except UnicodeDecodeError:
                        continue"""
    assert asked(give).points == 8


def test_what_finds_nothing_at_all_earns_nothing_and_says_which_requirement_the_others_wait_for() -> None:
    report = asked("return None")
    assert failed(report) == ["finds"]
    assert len(waiting(report)) == 7
    assert "the path of the image with that name, as text" in report.judgements[-1].why


def test_a_search_that_ends_the_process_is_judged_by_what_it_finds() -> None:
    report = asked(end="os._exit(127)")
    assert (failed(report), waiting(report)) == (["none"], ["anew", "reads"])


def test_a_search_without_an_end_is_judged_by_what_it_finds() -> None:
    report = asked(end="while True: pass")
    assert failed(report)[0] == "none"
    assert {"finds", "path", "first"} <= {one.requirement.key for one in report.judgements if one.passed}
    assert "still searching" in report.judgements[1].seen


def test_an_error_shows_the_learners_own_line() -> None:
    (judgement,) = [one for one in asked(end="raise LookupError(name)").judgements if one.passed is False]
    assert re.search(r"raised LookupError: \w+ \(your line 13: raise LookupError\(name\)\)", judgement.seen)
    assert "None is the answer" in judgement.looks_like


@pytest.mark.in_turn(3)
@pytest.mark.parametrize("value", ["'x' * 50_000_000", "os.environ", "[[[name]]] * 100_000"])
def test_an_answer_of_any_size_is_judged(value: str) -> None:
    report = asked(f"return {value}")
    assert (failed(report), report.notes) == (["finds"], ())
    assert len(report.judgements[0].seen) < 3000


def test_every_run_asks_the_same_kinds_of_questions() -> None:
    def kinds() -> list[tuple[str, bool, tuple[str, ...]]]:
        return [(one.key, one.path is None, tuple(sorted(one.traps.values()))) for one in all_questions()]

    first = kinds()
    assert all(kinds() == first for _ in range(50))
    assert {one.what for one in probes()} == {"exists", "bytes", "alone"}


@pytest.mark.parametrize("half", [0, 1], ids=["public", "hidden"])
def test_an_error_of_their_own_class_is_an_oserror_and_limits_are_the_kernels(half: int) -> None:
    """Nobody switches the limit off from inside."""
    own = """
class Closed(OSError):
    pass

def find_image_by_name(db, name):
    try:
        file = open(db, "rb")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Closed(str(error)) from None
    with file:
        for line in file:
            fields = line.removesuffix(b"\\n").split(b"|")
            if len(fields) == 3 and all(fields) and fields[0] == name.encode():
                return fields[1].decode()
"""
    assert judge(both_halves(SLUG)[half], Submission(source=own)).first_failure is None
    off = "import resource\nresource.setrlimit = lambda *_: None\n" + own.replace(
        "for line in file", "for line in file.readlines()"
    )
    report = judge(both_halves(SLUG)[half], Submission(source=off))
    assert failed(report) == (["large"] if half else [])
