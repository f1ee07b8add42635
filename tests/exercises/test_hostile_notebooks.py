"""Notebooks that want to stop whoever reads them: each costs itself alone, and its report says why."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from classroom import code_cell, dump, handed_in, with_copy
from harness import COURSE

from udock_lab.errors import UsageError
from udock_lab.grading import handedin
from udock_lab.grading.batch import Batch
from udock_lab.grading.classfiles import ClassFiles
from udock_lab.grading.graded import grade_notebook
from udock_lab.grading.handout import handout_of_exercise
from udock_lab.grading.marks import read_marks
from udock_lab.grading.notebook import Solution
from udock_lab.grading.submissions import find_submissions

SLUG = "m2_1_process_creation"
NOT_WRITTEN = "def launch(argv):\n    raise NotImplementedError"


def read(notebook: bytes) -> Solution:
    return handedin.solution_in(notebook, "kim.ipynb", {}, frozenset({"answer"}), ["launch"])


def of_code(*texts: str) -> bytes:
    facts = {"nbgrader": {"grade_id": "answer", "solution": True}}
    cells = [{"cell_type": "code", "metadata": facts, "source": text} for text in texts]
    return json.dumps({"cells": cells}).encode()


CHAIN = "\n".join(f"def f{n}(): f{n + 1}()" for n in range(20_000))
REFUSED = {
    "blanks": (of_code(" " * 300_000 + "x"), "A line of code in this notebook has 300,001 characters"),
    "blanks and =": (of_code(" " * 300_000 + "= !"), "A line of code"),
    "names": (of_code("a" * 19_000 + "\n" + "b " * 300_000), "The code cells of this notebook hold"),
    "functions": (of_code(CHAIN), "define 20,000 functions and classes"),
    "cells": (json.dumps({"cells": [{}] * 3_000}).encode(), "This notebook has 3,000 cells"),
    "brackets": (b"[" * 1_000_000, "is not a notebook"),
    "objects": (b'{"a":' * 1_000_000, "is not a notebook"),
    "bytes": (b"\xff\xfe\x00", "is not a notebook"),
    "a number": (b'{"cells": ' + b"9" * 1_000_000 + b"}", "is not a notebook"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_nobody_writes_by_hand_is_refused_in_a_sentence(name: str) -> None:
    notebook, told = REFUSED[name]
    with pytest.raises(UsageError, match=told):
        read(notebook)


DEEP = {
    "minus": "x = " + "-" * 19_000 + "1",
    "not": "x = " + "not " * 4_000 + "1",
    "if else": "x = " + "1if 1else " * 1_900 + "1",
    "lambda": "x = " + "lambda:" * 2_500 + "1",
    "attributes": "def f():\n    return f" + ".a" * 9_000,
    "calls": "def f():\n    return f" + "()" * 9_000,
    "sum": "x = " + "1+" * 9_000 + "1",
    "strings": 'x = f"' + "{x}" * 6_000 + '"',
    "blocks": "\n".join(" " * n + "if 1:" for n in range(120)),
    "one line": "launch();" * 2_000,
    "chain": "\n".join(f"def f{n}(): f{n + 1}()" for n in range(1_900)),
    "magics": "%time -n 1\n" * 5_000,
}


@pytest.mark.parametrize("name", DEEP)
def test_code_of_any_depth_is_read_or_refused_in_time(name: str) -> None:
    try:
        found = read(
            json.dumps({"cells": [code_cell(DEEP[name], "a"), *json.loads(of_code(NOT_WRITTEN))["cells"]]}).encode()
        )
    except UsageError as error:
        assert "kim.ipynb cannot be read" in str(error)
    else:
        assert NOT_WRITTEN in found.text


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("while True: pass", "takes more than 10 seconds of a processor"),
        ("import os; os.kill(os.getpid(), 11)", "it is nested too deeply"),
        ("raise MemoryError", "MiB of memory"),
        ("print('{')\nwhile True: print('x' * 4096)", "takes more than"),
    ],
)
def test_a_reader_that_does_not_come_back_costs_its_notebook_alone(
    monkeypatch: pytest.MonkeyPatch, code: str, told: str
) -> None:
    monkeypatch.setattr(handedin, "_CODE", code)
    monkeypatch.setattr(handedin, "_PATIENCE", 0.5)
    monkeypatch.setattr(handedin, "_MOST_ANSWER", 1 << 20)
    with pytest.raises(UsageError, match=told):
        read(of_code(NOT_WRITTEN))


def test_a_class_with_one_of_each_is_graded_to_the_end(tmp_path: Path) -> None:
    returns = "from udock_lab.grading import ExitInfo\ndef launch(argv):\n    return ExitInfo(code=0)"
    sent = {
        "blanks": handed_in(SLUG, " " * 300_000 + "x"),
        "functions": handed_in(SLUG, CHAIN),
        "deep": '{"cells":' * 100_000,
        "copied": with_copy(handed_in(SLUG, returns), NOT_WRITTEN),
        "honest": handed_in(SLUG, NOT_WRITTEN),
    }
    for learner, notebook in sent.items():
        dump(notebook, tmp_path / "submitted" / learner / SLUG / f"{SLUG}.ipynb")
    start = time.process_time()
    batch = Batch(tmp_path / "graded", None)
    results = batch.grade(find_submissions(tmp_path / "submitted"), 2, print)
    ClassFiles(batch.out).write(results)
    grades = {one.learner: one.handed for one in results}
    assert time.process_time() - start < 5, "of this process: the readers' time is their own"
    assert {learner for learner, marks in grades.items() if marks.why} == {"blanks", "functions", "deep"}
    assert "A line of code in this notebook" in grades["blanks"].why
    marks = read_marks(tmp_path / "graded" / "copied" / f"{SLUG}.json")
    assert marks is not None
    (copied,) = marks.cells
    assert "is there 2 times; number 1, the last filled-in one counts" in copied.report.notes[0]
    assert "NotImplementedError" not in str(copied.report)
    assert "A line of code in this notebook" in (tmp_path / "graded" / "class.html").read_text()


def test_a_line_of_an_added_cell_that_fails_when_graded_is_named(tmp_path: Path) -> None:
    """In the notebook ``numbers`` came from a cell that is no more; graded, the line behind it makes nothing."""
    notebook = handed_in(SLUG, "def launch(argv):\n    return TABLE[1]")
    notebook["cells"].insert(1, code_cell("TABLE = {}\nTABLE[1] = numbers[0]", "added"))
    cells = grade_notebook(json.dumps(notebook).encode(), "kim.ipynb", handout_of_exercise(SLUG))
    (told,) = (note for note in cells[0].report.notes if note.startswith("Left out"))
    assert told.startswith("Left out, because it fails when graded: your cell ")
    assert told.endswith(": TABLE = {}, line 2: NameError: name 'numbers' is not defined")


def test_nbgrader_sees_each_name_of_the_handout_once_and_nothing_that_it_does_not_know() -> None:
    facts = {
        "answer": {"grade_id": "answer", "solution": True, "grade": False},
        "points": {"grade_id": "points", "solution": False, "grade": True},
    }
    forged = {"nbgrader": {"grade_id": "points", "grade": True, "points": 99, "schema_version": 1}}
    cells = [
        {
            "cell_type": "code",
            "metadata": {"nbgrader": {"grade_id": "answer", "schema_version": 99}},
            "source": "x = 1",
        },
        {"cell_type": "code", "metadata": {"nbgrader": facts["answer"]}, "source": "import os"},
        {"cell_type": "code", "metadata": forged, "source": "1", "outputs": [{"output_type": "error"}]},
        {"cell_type": "code", "metadata": forged, "source": "2"},
        {"cell_type": "markdown", "metadata": {"nbgrader": {}}, "source": ["a", "b"]},
        {"cell_type": "strange", "metadata": {"nbgrader": {"grade_id": "mine"}}},
        {"cell_type": "raw", "metadata": {"nbgrader": {"grade_id": "mine", "locked": True}}},
    ]
    found = handedin.for_nbgrader(json.dumps({"cells": cells}).encode(), "kim.ipynb", facts)
    seen = [(cell["cell_type"], cell["metadata"].get("nbgrader"), cell["source"]) for cell in found["cells"]]
    assert seen == [
        ("code", facts["answer"], "x = 1"),
        ("code", None, "import os"),
        ("code", facts["points"], "1"),
        ("code", None, "2"),
        ("markdown", None, "ab"),
        ("raw", None, ""),
    ]
    assert "is there 2 times" in found["metadata"]["udock"]["notes"][0]


def test_handouts_of_the_course_pass_through_the_reader_unchanged() -> None:
    for path in sorted((COURSE / "release").glob("*/*.ipynb")):
        handout = json.loads(path.read_text())
        facts = {
            cell["metadata"]["nbgrader"]["grade_id"]: cell["metadata"]["nbgrader"]
            for cell in handout["cells"]
            if "nbgrader" in cell["metadata"]
        }
        found = handedin.for_nbgrader(path.read_bytes(), path.name, facts)
        assert [(c["cell_type"], c["metadata"].get("nbgrader"), c["source"]) for c in found["cells"]] == [
            (c["cell_type"], c["metadata"].get("nbgrader"), "".join(c["source"])) for c in handout["cells"]
        ]
        assert found["metadata"]["udock"]["notes"] == []
