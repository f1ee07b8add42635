"""Nothing is used before it is explained: what the check reads, and what it complains about."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

from check_names import (  # noqa: E402
    EXERCISES,
    foreign_terms,
    lessons_before,
    not_taught,
    own_terms,
    printed_early,
    problems,
    right_answers,
    term_problems,
    uses,
)
from names_of_the_course import of_code, of_order, of_text  # noqa: E402

LEARNERS_TEXTS = sorted([
    *ROOT.glob("notebooks/*.ipynb"),
    *ROOT.glob("notebooks/*.md"),
    *ROOT.glob("docs/*.md"),
    *ROOT.glob("exercises/source/*/*.ipynb"),
    *ROOT.glob("udock_lab/**/*.py"),
])  # fmt: skip
# What was written once and is not so, each with the reason.
NOT_SO = {
    r"(?:runs?|returns?|reached) only if (?:it|`?execve`?|exec) \**failed(?![^\n]*\*/)": "in Python the line after execve never runs: a failure raises",
    r"[Cc]ode after a failed `?execve`? runs": "in Python it does not: a failure raises",
    r"(?<!began )without a call": "a parent that waits is in a call",
    r"Each of them gets a lesson": "most of the calls in a run's timeline get none",
    r"is the name of a container": "it may only look like one",
}


@pytest.mark.parametrize("slug", EXERCISES)
def test_an_exercise_can_be_solved_with_what_its_lessons_show(slug: str) -> None:
    answer, missing = not_taught(slug, right_answers(slug))
    assert not missing, answer


def test_nothing_in_the_course_is_used_before_it_is_explained() -> None:
    assert problems() == []


def test_the_lessons_of_m2_6_are_those_that_may_come_right_before_it() -> None:
    taken = [entry.slug for entry in lessons_before("m2_6_exec_failure")]
    assert taken[:2] == ["00_start_here", "m2_0_primer"]
    assert taken[-1] == "m2_6_exec_failure"
    assert not any(slug.startswith(("m2_2", "m2_3", "m2_4", "m2_5")) for slug in taken)


def test_a_construct_that_no_lesson_shows_is_named_of_the_answer_that_needs_fewest() -> None:
    answers = [("few", "import os\nos.fork()\nos.vmsplice(1, 2)"), ("more", "import os\nos.memfd_create(os.ctermid())")]
    assert not_taught(EXERCISES[0], answers) == ("few", ["os.vmsplice"])


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("import os\nos.open('a', os.O_RDONLY)", {"os.open", "os.O_RDONLY"}),
        ("from fcntl import LOCK_EX, flock\nflock(1, LOCK_EX)", {"fcntl.flock", "fcntl.LOCK_EX", "flock()"}),
        ("open('a', 'rb').read()", {"open()", '"rb"', ".read"}),
        (
            "try:\n    f()\nexcept OSError:\n    raise\nfinally:\n    g()",
            {"except OSError", "raise", "finally", "f()", "g()"},
        ),
        ("%%sandbox -o x\nimport os\nos.fork()", {"os.fork"}),
        ("%%mdock run demo\nos.fork()", set()),
        ("x = %mdock run demo -- true\nprint(1)", {"print()"}),
        ("def f():\n    pass\nf()\nlen(b'')", {"len()", "bytes"}),
    ],
)
def test_names_are_read_from_code(code: str, names: set[str]) -> None:
    assert of_code(code) == names


def test_names_are_read_from_what_a_text_quotes_and_from_the_lines_of_an_order() -> None:
    assert {"os.close", ".decode"} <= of_text("`os.close(3)` gives it back, `.decode()` turns bytes into text.")
    assert "os.fork" not in of_text("os.fork without quotes")
    assert of_order('task = put_in_order("x", ["import os", "    os.fork()"], goal="g", expect="")') == {"os.fork"}


def test_a_term_that_is_used_early_or_stands_nowhere_is_named() -> None:
    glossary = "**gate** · Where a child waits. (`m2_2`; open(2))\n\n**start gate** · Another. (`m2_1`)\n\n**orphan** · X. (`m2_1`)"
    texts = {"m2_1": "At the start gate it waits.", "m2_2": "A gate opens."}
    assert term_problems(glossary, texts) == [
        "orphan: the glossary says that m2_1 introduces it, and its text does not name it"
    ]
    assert term_problems(glossary, texts | {"m2_1": "An orphan at the start gate, or at a gate."}) == [
        "gate: the glossary says that m2_2 introduces it, and m2_1 uses it"
    ]
    assert uses("Two gates.", "gate", []) and not uses("A gatekeeper.\n\n## Go further\n\nA gate.", "gate", [])


def test_a_word_of_ours_that_a_card_prints_before_its_lesson_is_named() -> None:
    own = own_terms("**gate** · Where a child waits. (`m2_2`)\n\n**pipe** · A buffer. (`m2_2`; pipe(7))")
    assert own == {"gate": "m2_2"}
    assert printed_early(own, {"m2_1": "the gate is open", "m2_2": "a gate"}) == [
        "gate: m2_2 explains it, and m2_1 prints it"
    ]
    assert printed_early(own, {"m2_1": "a pipe", "m2_2": "a gate"}) == []


def test_an_exercise_may_use_the_terms_of_its_own_lessons_only() -> None:
    known = {"pipe": "m2_6", "seccomp": "m2_7", "path": "m2_2"}
    assert foreign_terms("A pipe, a path, a seccomp filter.", known, {"m2_6"}) == ["seccomp"]


def test_no_text_says_what_is_not_so() -> None:
    texts = {str(path.relative_to(ROOT)): path.read_text() for path in LEARNERS_TEXTS}
    assert len(texts) > 100
    assert [(name, why) for name, text in texts.items() for no, why in NOT_SO.items() if re.search(no, text)] == []


def test_no_lesson_forgives_more_errors_than_the_exercise_does() -> None:
    """PermissionError is EPERM and EACCES: where chroot is refused, only EPERM may be forgiven (exercise m2_2)."""
    lesson = (ROOT / "notebooks/m2_2_chroot_permissions.ipynb").read_text()
    assert "except PermissionError" not in lesson
    assert "errno.EPERM: raise" in lesson


def test_the_form_of_a_choice_does_not_give_the_answer_of_the_dots_away() -> None:
    lesson = (ROOT / "notebooks/m2_1a_fork.ipynb").read_text()
    choices = set(re.findall(r'\\"(\d / \d / \d)\\"', lesson))
    uneven = {choice for choice in choices if len(set(choice.split(" / "))) > 1}
    assert "6 / 8 / 0" in uneven and len(uneven) >= 3
