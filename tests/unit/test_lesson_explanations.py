"""An explanation comes when it is earned or asked for: no cell of the course holds one, and no first try brings it."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from udock_lab.errors import UsageError
from udock_lab.lesson import Lesson, begin, exit_ticket, predict, progress
from udock_lab.lesson.accepting import accepts
from udock_lab.lesson.explanations import PREDICTIONS, TICKETS
from udock_lab.work.merging import merged

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
LINES, COPY = TICKETS["m2_1a_fork"]["summaries"][1], TICKETS["m2_1a_fork"]["copy"][1]
NAMED = (("summaries", "How many summaries?"), ("copy", "What holds the copy?"))


@pytest.fixture
def lesson(home: Path) -> Iterator[Lesson]:
    begun = begin("m2_1a_fork")
    yield begun
    begun._close()


def sources(path: Path) -> list[str]:
    cells = json.loads(path.read_text())["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


def asked_in(path: Path, name: str) -> list[ast.Call]:
    cells = [source for source in sources(path) if f" = {name}(" in source]
    nodes = (node for source in cells for node in ast.walk(ast.parse(source)))
    return [node for node in nodes if isinstance(node, ast.Call) and ast.unparse(node.func) == name]


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_a_question_cell_holds_question_and_choices_and_the_package_the_rest(path: Path) -> None:
    asked = {}
    for call in asked_in(path, "predict"):
        name, _, labels = (ast.literal_eval(word) for word in call.args)
        asked[name] = labels
        assert isinstance(labels, list)
    assert asked == {name: list(said) for name, said in PREDICTIONS.get(path.stem, {}).items()}
    tickets = [ast.literal_eval(word) for call in asked_in(path, "exit_ticket") for word in call.args]
    assert [name for name, _ in tickets] == list(TICKETS.get(path.stem, {}))


def test_every_explanation_of_the_course_belongs_to_a_notebook() -> None:
    assert {*PREDICTIONS, *TICKETS} <= {path.stem for path in NOTEBOOKS.glob("*.ipynb")}
    said = [text for of in PREDICTIONS.values() for choices in of.values() for text in choices.values()]
    assert all(said + [why for of in TICKETS.values() for _, why in of.values()])


@pytest.mark.parametrize(
    ("slug", "name", "right", "wrong"),
    [
        ("m2_1a_fork", "summaries", "two", "one"), ("m2_1a_fork", "copy", "the buffer", "the kernel"),
        ("m2_1b_exec_and_wait", "code", "134", "34304"), ("m2_1b_exec_and_wait", "wget", "TERM", "KILL"),
        ("m2_2_chroot_permissions", "capability", "sys_chroot", "CAP_SYS_ADMIN"),
        ("m2_3_container_ids", "holders", "all", "1"), ("m2_3_container_ids", "step", "the lock", "unlock"),
        ("m2_4_metadata", "rename", "exdev", "EACCES"), ("m2_4_metadata", "loss", "a power cut", "crash"),
        ("m2_5_image_lookup", "home", "anna's", "ann's"), ("m2_5_image_lookup", "call", "os.fstat(fd)", "lstat"),
        ("m2_6_exec_failure", "loader", True, "no"), ("m2_6_exec_failure", "wait", "60 min", "60 s"),
        ("m2_7_review", "port", "the second", "first"), ("m2_7_review", "limit", "100 GB", "100 MB"),
    ],
)  # fmt: skip
def test_the_tickets_of_the_course_take_what_is_right(slug: str, name: str, right: object, wrong: object) -> None:
    words = {
        ast.literal_eval(word)[0]: ast.literal_eval(word)[1]
        for call in asked_in(NOTEBOOKS / f"{slug}.ipynb", "exit_ticket")
        for word in call.args
    }
    assert accepts(TICKETS[slug][name][0], right, words[name])
    assert not accepts(TICKETS[slug][name][0], wrong, words[name])


def test_a_first_wrong_answer_brings_another_try_and_the_second_one_the_reason(lesson: Lesson) -> None:
    ticket = exit_ticket(*NAMED)
    first = str(ticket.answer(1))
    assert "Your answer 1: not yet. Try once more; `ticket.explain(1)` tells why." in first
    assert LINES not in first + ticket._repr_html_()
    assert LINES not in str(ticket.answer(1))  # the cell was run twice
    assert f"Your answer 3: not yet. {LINES}" in str(ticket.answer(3))
    assert COPY not in str(ticket)


def test_a_right_answer_is_explained_at_once(lesson: Lesson) -> None:
    assert f"Your answer the buffer: right. {COPY}" in str(exit_ticket(*NAMED).answer(..., "the buffer"))


def test_whoever_asks_is_told_after_one_try_and_not_before(lesson: Lesson) -> None:
    ticket = exit_ticket(*NAMED)
    for ask in (lambda: ticket.explain(), lambda: ticket.explain(2)):
        with pytest.raises(UsageError, match="not answered yet"):
            ask()
    with pytest.raises(UsageError, match="no question 3"):
        ticket.explain(3)
    ticket.answer(1)
    assert LINES in str(ticket.explain())
    with pytest.raises(UsageError, match="Question 2 is not answered"):
        ticket.explain(1, 2)
    assert COPY not in str(ticket)


def test_tries_and_what_was_explained_outlive_the_kernel_and_end_with_a_reset(home: Path, lesson: Lesson) -> None:
    exit_ticket(*NAMED).answer(1)
    assert LINES not in str(exit_ticket(*NAMED))
    assert LINES in str(exit_ticket(*NAMED).answer(5))
    ticket = exit_ticket(*NAMED)
    assert LINES in str(ticket)
    ticket.answer(..., "file").explain(2)
    assert COPY in str(exit_ticket(*NAMED))
    progress().reset("m2_1a_fork")
    assert LINES not in str(exit_ticket(*NAMED).answer(1, "file"))
    assert COPY not in str(exit_ticket(*NAMED))


def test_two_homes_put_together_keep_what_was_tried_and_asked(home: Path, lesson: Lesson) -> None:
    exit_ticket(*NAMED).answer(1, "file")
    here = json.loads((home / "progress.json").read_text())
    exit_ticket(*NAMED).answer(3).explain(2)
    later = json.loads((home / "progress.json").read_text())
    assert merged(here, later) == merged(later, here)
    known = merged(here, later)["answered"]["m2_1a_fork"]
    assert (known["How many summaries?"]["wrong"], known["What holds the copy?"]["why"]) == (2, True)


def test_a_home_of_an_older_version_counts_its_wrong_answer_as_one_try(home: Path, lesson: Lesson) -> None:
    exit_ticket(*NAMED).answer(1)
    stored = json.loads((home / "progress.json").read_text())
    del stored["answered"]
    (home / "progress.json").write_text(json.dumps(stored))
    assert LINES not in str(exit_ticket(*NAMED))
    assert LINES in str(exit_ticket(*NAMED).answer(3))


def test_a_prediction_finds_its_sentences_in_the_package_when_it_is_settled(lesson: Lesson) -> None:
    said = PREDICTIONS["m2_1a_fork"]["lines"]
    lines = predict("lines", "How many lines?", ["none", "one", "two", "depends"])
    with pytest.raises(UsageError, match="Lock yours first"):
        lines.explain()
    assert not any(text in str(lines.answer("one")) for text in said.values())
    assert str(lines.settle("two")).splitlines()[1:] == [f"  one: {said['one']}", f"  two: {said['two']}"]
    assert all(text in str(lines.explain()) for text in said.values())


def test_a_question_of_nobodys_lesson_needs_no_sentences(home: Path) -> None:
    asked = predict("asked", "?", ["yes", "no"])
    asked.answer("yes")
    assert str(asked.settle("yes")).splitlines() == ["Right. You said yes, and so did the machine.", "  yes"]


def test_a_name_that_the_lesson_has_not_is_refused_with_those_it_has(lesson: Lesson) -> None:
    with pytest.raises(UsageError, match="The names of this lesson are: summaries, copy"):
        exit_ticket(("sumaries", "How many?"))
    lesson._close()
    with pytest.raises(UsageError, match="Outside a lesson"):
        exit_ticket(NAMED[0])
