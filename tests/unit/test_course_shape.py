"""The lint for lessons of the course: each thing that a lesson must have is missed when it is not there."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))

from check_course_shape import course_shape

SLUG = "m2_1a_fork"
FIRST = "# Fork\n\nAfter this lesson you can fork. 25 minutes."
IMPORT = "from udock_lab.lesson import begin, progress"
BEGIN = f'%load_ext udock_lab\n{IMPORT}\nlesson = begin("{SLUG}")'
ASK = 'lines = predict("lines", "How many?", {"one": "a", "two": "b"})'
RUN = "%%sandbox -o result\nimport os\nos.fork()"
SETTLE = "lines.settle(len(result.lines))"
CHANGE = "n = 3  # change this line\nrun = %mdock run demo -- /bin/true"
ORDER = 'task = put_in_order("launch", ["a", "b"], expect="", goal="it runs")\ntask.try_order(1, 0)'
TICKET = 'ticket = exit_ticket(("q", 1, "e"), ("q", 2, "e"))'
END = "lesson.end()"
TWIN = "The same in C.\n\n```c\npid_t pid = fork();\nwait(0);\n```"
PROGRAM = "#include <unistd.h>\nint main(void)\n{\n    pid_t pid = fork();\n    wait(0);\n}\n"
FOLDED = {"jupyter": {"source_hidden": True}}
WHOLE = (BEGIN, ASK, RUN, SETTLE, CHANGE, ORDER, TICKET, END)


def lesson(
    folder: Path, *code: str, first: str = FIRST, text: str = TWIN, slug: str = SLUG, folded: bool = True
) -> list[str]:
    """What is wrong with a lesson of these cells."""
    (folder / "c").mkdir(exist_ok=True)
    (folder / "c" / f"{SLUG}.c").write_text(PROGRAM)
    cells: list[dict[str, Any]] = [{"cell_type": "markdown", "source": source} for source in (first, text)]
    for source in code:
        tags = ["nbval-ignore-output"] if "begin(" in source else []
        metadata = {"tags": tags, "jupyter": {"source_hidden": folded}}
        cells.append({"cell_type": "code", "source": source, "metadata": metadata, "outputs": []})
    return course_shape(folder / f"{slug}.ipynb", json.loads(json.dumps(cells)))


def test_a_whole_lesson_has_no_problems(tmp_path: Path) -> None:
    assert lesson(tmp_path, *WHOLE) == []


def test_a_question_whose_answers_stand_open_is_named(tmp_path: Path) -> None:
    assert lesson(tmp_path, *WHOLE, folded=False) == [
        "cell 4 shows the words of its predict twice: run scripts/execute-notebooks",
        "cell 9 shows the words of its exit_ticket twice: run scripts/execute-notebooks",
    ]


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (BEGIN, BEGIN.replace(", progress", ""), "no cell imports progress: messages tell the learner to type it"),
        (BEGIN, IMPORT, f'no cell calls begin("{SLUG}")'),
        (BEGIN, BEGIN.replace(SLUG, "m2_3_container_ids"), f'no cell calls begin("{SLUG}")'),
        (END, "pass", "the last code cell does not call lesson.end()"),
        (SETTLE, "pass", "the prediction lines is settled by 0 cells, wanted one"),
        (CHANGE, f"{SETTLE}\nn = 3  # change this line", "the prediction lines is settled by 2 cells, wanted one"),
        (CHANGE, "n = 3", "no cell has a line marked: # change this line"),
        (ORDER, "pass", "there is no put_in_order task"),
        (ORDER, ORDER.split("\n")[0], "no cell runs the put_in_order task with try_order"),
        (TICKET, "pass", "there is no exit_ticket of 2 questions"),
        (TICKET, 'ticket = exit_ticket(("q", 1, "e"))', "there is no exit_ticket of 2 questions"),
    ],
)
def test_a_missing_part_is_named(tmp_path: Path, old: str, new: str, problem: str) -> None:
    assert lesson(tmp_path, *(new if cell == old else cell for cell in WHOLE)) == [problem]


def test_a_fourth_prediction_is_too_many(tmp_path: Path) -> None:
    names = [f"q{number}" for number in range(3)]
    asked = [f'{name} = predict("{name}", "?", {{}})' for name in names]
    settled = [f"{name}.settle(1)" for name in names]
    assert lesson(tmp_path, *WHOLE[:4], *asked, *settled, *WHOLE[4:]) == ["4 predictions, at most 3"]


def test_a_prediction_settled_in_the_cell_that_asks_it_leaves_no_time_to_answer(tmp_path: Path) -> None:
    cells = [BEGIN, f"{ASK}\n{SETTLE}", *WHOLE[4:]]
    assert lesson(tmp_path, *cells) == ["the prediction lines is settled before there was time to answer it"]


def test_the_cell_whose_output_differs_between_machines_must_be_tagged(tmp_path: Path) -> None:
    cells = [{"cell_type": "markdown", "source": source} for source in (FIRST, TWIN)]
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / f"{SLUG}.c").write_text(PROGRAM)
    cells += [{"cell_type": "code", "source": source, "metadata": FOLDED, "outputs": []} for source in WHOLE]
    (found,) = course_shape(tmp_path / f"{SLUG}.ipynb", cells)
    assert "tag it nbval-ignore-output" in found


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("no C here", "it shows no C twin of its core lines (a ```c block)"),
        ("```c\npid_t pid = vfork();\n```", f"its C is not cut from notebooks/c/{SLUG}.c"),
        (f"{TWIN}\n\nYou simply fork.", "cell 2: 'simply' is not the voice of this course"),
        (f"{TWIN}\n\nIt forks!", "cell 2: '!' is not the voice of this course"),
    ],
)
def test_text_is_held_to_its_program_and_its_voice(tmp_path: Path, text: str, problem: str) -> None:
    assert lesson(tmp_path, *WHOLE, text=text) == [problem]


def test_code_and_quoted_operators_have_a_voice_of_their_own(tmp_path: Path) -> None:
    assert lesson(tmp_path, *WHOLE, text=f"{TWIN}\n\n`a != b`, ![a tree](c/{SLUG}.c)\n\n```sh\necho just!\n```") == []


def test_minutes_and_slug_must_be_those_of_the_outline(tmp_path: Path) -> None:
    assert lesson(tmp_path, *WHOLE, first=FIRST.replace("25", "30")) == [
        "the first cell says 30 minutes, udock_lab/lesson/outline.py says 25"
    ]


@pytest.mark.parametrize("slug", ["m2_1z_fork", "m6_1_nobody_entered_it", "07_a_page"])
def test_a_notebook_of_any_challenge_must_stand_in_the_outline(tmp_path: Path, slug: str) -> None:
    (found,) = lesson(tmp_path, *WHOLE, slug=slug)
    assert found.startswith(f"it is not in udock_lab/lesson/outline.py: There is no lesson {slug!r}.")


def test_the_first_page_needs_no_task_and_no_ticket(tmp_path: Path) -> None:
    first = FIRST.replace("25", "15")
    assert lesson(tmp_path, "print(1)", first=first, text="words", slug="00_start_here") == []
    assert lesson(tmp_path, ASK, first=first, text="words", slug="00_start_here") == [
        "the prediction lines is settled by 0 cells, wanted one"
    ]


PRIMER = (BEGIN.replace(SLUG, "m2_0_primer"), ASK, RUN, SETTLE, END)


def primer(folder: Path, *code: str) -> list[str]:
    """What is wrong with a primer of these cells."""
    return lesson(folder, *code, first=FIRST.replace("25", "10"), text="words", slug="m2_0_primer")


def test_a_primer_needs_its_frame_and_a_prediction_and_no_task(tmp_path: Path) -> None:
    assert primer(tmp_path, *PRIMER) == []
    assert primer(tmp_path, *PRIMER[:-1]) == ["the last code cell does not call lesson.end()"]
    assert primer(tmp_path, PRIMER[0], END) == ["0 predictions, a primer has 1 or 2"]


def test_a_primer_shows_one_thing_at_a_time(tmp_path: Path) -> None:
    long = "%%sandbox\n" + "\n".join("abcde")
    assert primer(tmp_path, *PRIMER[:2], long, *PRIMER[3:]) == ["cell 5 has more than 5 lines, the most in a primer"]
    assert primer(tmp_path, *PRIMER[:3], RUN, *PRIMER[3:]) == ["cell 6 has no text before it that says what to look at"]
