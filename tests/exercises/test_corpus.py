"""The grader is right: right answers earn every point, wrong ones fail where they are wrong, each time anew."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "privileged"))

import rungs  # noqa: E402
from harness import EXERCISES, PARTS, SOURCE, Answer, answers, both_halves, chosen, mark, part  # noqa: E402

from udock_lab.grading import Submission, judge  # noqa: E402
from udock_lab.grading.checking import exercise  # noqa: E402

LEAST_RIGHT, LEAST_WRONG = 8, 15
RUNS = 20


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """``answer`` is each one of the part of the corpus that this run takes."""
    if "answer" in metafunc.fixturenames:
        these = part(metafunc.config.getoption("corpus"))
        metafunc.parametrize("answer", these, ids=lambda answer: f"{answer.slug}-{answer.name}")
    if "some_slug" in metafunc.fixturenames:
        number = metafunc.config.getoption("corpus").partition("/")[0]
        metafunc.parametrize("some_slug", EXERCISES if number == "all" else chosen(EXERCISES, f"{number}/3"))


def test_answer_is_judged_as_the_corpus_says(answer: Answer) -> None:
    """No false accept, no false reject, and the misconception that is named is the one that is there."""
    assert mark(answer).complaint == ""


def test_the_parts_of_the_corpus_make_the_whole_and_each_has_right_and_wrong_answers_of_every_exercise() -> None:
    parts = [part(str(number)) for number in range(2000, 2000 + PARTS)]
    everything = [(answer.slug, answer.name) for answer in part("all")]
    assert sorted(everything) == sorted((answer.slug, answer.name) for chosen in parts for answer in chosen)
    each = {(slug, right) for slug in EXERCISES for right in (True, False)}
    assert all({(answer.slug, answer.right) for answer in chosen} == each for chosen in parts)


@pytest.mark.parametrize("slug", EXERCISES)
def test_corpus_covers_every_requirement(slug: str) -> None:
    found = answers(slug)
    wrong = [answer for answer in found if not answer.right]
    assert len(found) - len(wrong) >= LEAST_RIGHT
    assert len(wrong) >= LEAST_WRONG
    public, hidden = both_halves(slug)
    fails = {(answer.in_hidden, answer.fails) for answer in wrong}
    asked = {(half is hidden, requirement.key) for half in (public, hidden) for requirement in half.requirements}
    assert fails == asked


@pytest.mark.parametrize("slug", EXERCISES)
def test_statement_names_every_requirement(slug: str) -> None:
    cells = json.loads((SOURCE / slug / f"{slug}.ipynb").read_text())["cells"]
    statement = "".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    names = [requirement.name for half in both_halves(slug) for requirement in half.requirements]
    assert [name for name in names if name not in statement] == []


@pytest.mark.soak
@pytest.mark.timeout(900)
@pytest.mark.parametrize("busy", [0, 2], ids=["idle", "busy"])
@pytest.mark.parametrize("slug", EXERCISES)
def test_the_same_answer_earns_the_same_points_each_time(slug: str, busy: int) -> None:
    """A right one and one that fails late, twenty times; also while both processors have other work."""
    found = answers(slug)
    right = next(answer for answer in found if answer.right)
    wrong = next(answer for answer in reversed(found) if not answer.right and not answer.in_hidden)
    with _work_for(busy):
        for answer in (right, wrong):
            assert len({_points(answer) for _ in range(RUNS)}) == 1


def _points(answer: Answer) -> float:
    return judge(exercise(answer.slug), Submission(source=answer.source)).points


@contextmanager
def _work_for(processors: int) -> Iterator[None]:
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"], env=os.environ) for _ in range(processors)]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()


RUNGS = [["refuse=ptrace"], ["refuse=unshare"], ["nobody"], ["nobody", "refuse=unshare,ptrace"]]
ON_A_RUNG = """
import sys
sys.path.insert(0, {folder!r})
from concurrent.futures import ThreadPoolExecutor
from harness import answers, cross_section, mark
with ThreadPoolExecutor(2) as pool:
    for one in pool.map(mark, {which}({slug!r})):
        if one.complaint:
            print(one.answer.name, one.complaint, one.public.notes)
"""


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("words", RUNGS, ids=lambda words: "-".join(words))
@pytest.mark.parametrize("slug", EXERCISES)
def test_corpus_is_judged_alike_where_the_machine_permits_less(slug: str, words: list[str]) -> None:
    """Without strace, without walls, without root: what cannot be judged counts neither way, and nothing wrong passes."""
    done = rungs.run(words, ON_A_RUNG.format(folder=str(HERE), which="answers", slug=slug), timeout=1700)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.in_turn(2)
@pytest.mark.parametrize("words", RUNGS[::3], ids=lambda words: "-".join(words))
def test_cross_section_is_judged_alike_without_strace(words: list[str]) -> None:
    code = ON_A_RUNG.format(folder=str(HERE), which="cross_section", slug=EXERCISES[0])
    done = rungs.run(words, code, timeout=100)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.timeout(300)
def test_cross_section_is_judged_alike_for_an_ordinary_user(some_slug: str) -> None:
    """Whose strace sees less of a process that is out of reach: some addresses, and no text."""
    code = ON_A_RUNG.format(folder=str(HERE), which="cross_section", slug=some_slug)
    done = rungs.run(["nobody"], code, timeout=250)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
