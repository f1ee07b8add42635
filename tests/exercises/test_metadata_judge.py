"""M2.4's judge: what waits for what, and what is judged where the kernel stops no calls."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "privileged"))

import rungs  # noqa: E402
from harness import answers, both_halves  # noqa: E402

from udock_lab.grading import Submission, judge  # noqa: E402

SLUG = "m2_4_metadata"
PUBLIC, HIDDEN = both_halves(SLUG)
RIGHT = next(answer.source for answer in answers(SLUG) if answer.name == "right_mkstemp")
ON_A_RUNG = """
import sys
sys.path.insert(0, {folder!r})
from harness import answers, mark
for one in answers("m2_4_metadata"):
    if one.name in {names!r} and mark(one).complaint:
        print(one.name, mark(one).complaint)
"""


def _passed(source: str, *, hidden: bool = False) -> list[str]:
    report = judge(HIDDEN if hidden else PUBLIC, Submission(source=source), at_once=2)
    return [judgement.requirement.key for judgement in report.judgements if judgement.passed]


def _refused(source: str, *, hidden: bool = False) -> set[str]:
    report = judge(HIDDEN if hidden else PUBLIC, Submission(source=source), at_once=2)
    return {judgement.requirement.key for judgement in report.judgements if judgement.refused}


def test_an_update_that_always_refuses_earns_nothing_for_refusing() -> None:
    source = RIGHT + "\n\ndef update(db, container_id, *_):\n    raise LookupError(container_id)\n"
    assert _passed(source) == ["saves", "times", "keeps"]
    assert _passed(source, hidden=True) == []


def test_who_has_written_update_alone_gets_its_points() -> None:
    source = RIGHT + "\n\ndef save(db, record):\n    raise NotImplementedError\n"
    assert set(_passed(source)) | _refused(source) >= {"finishes", "others", "beside", "refuses"}


def test_a_wrong_time_costs_what_it_is_worth() -> None:
    source = RIGHT.replace("time.localtime(", "time.gmtime(")
    assert "gmtime" in source
    assert not {"times", "finishes"} & set(_passed(source))
    assert set(_passed(source)) | _refused(source) == {"saves", "keeps", "others", "whole", "beside", "refuses"}


def test_a_statement_at_the_top_that_raises_is_told_with_its_line() -> None:
    report = judge(PUBLIC, Submission(source=RIGHT + "\n\nprint(undefined)\n"), at_once=2)
    assert report.first_failure is not None
    assert "NameError: name 'undefined' is not defined (your line" in report.first_failure.seen


def test_where_the_kernel_stops_no_calls_nothing_wrong_passes_and_nothing_right_fails() -> None:
    names = ["right_mkstemp", "wrong_truncate", "wrong_temporary_in_cwd", "wrong_mode_after_the_rename"]
    done = rungs.run(["refuse=listener"], ON_A_RUNG.format(folder=str(HERE), names=names), timeout=100)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
