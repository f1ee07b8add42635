"""What of a submitted notebook is the learner's answer."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from udock_lab.errors import UsageError
from udock_lab.grading.handout import read_cells
from udock_lab.grading.inside import compiled, load
from udock_lab.grading.kinds import refuse_lazy_source
from udock_lab.grading.notebook import Solution, read_solution


def cell(source: str, grade_id: str = "") -> dict[str, Any]:
    facts = {"nbgrader": {"grade_id": grade_id, "solution": True}} if grade_id else {}
    return {"cell_type": "code", "metadata": facts, "source": source}


SOLUTION = "def launch(argv):\n    return libc.fork(), LIMIT, talk"


def source_of(*extras: str, solution: str = SOLUTION) -> str:
    return read(*map(cell, extras), cell(solution, "answer")).text


def read(*cells: dict[str, Any]) -> Solution:
    return read_solution(cells, {}, {"answer"}, ["launch"])


def test_what_the_function_needs_is_kept_wherever_it_stands() -> None:
    said = source_of("libc = ctypes.CDLL(None)\nLIMIT: int = int('3')", "talk = print if True else repr(3)")
    assert "libc = ctypes.CDLL(None)" in said
    assert "LIMIT: int = int('3')" in said
    assert "talk = print" in said


def test_attempts_between_the_cells_are_left_out() -> None:
    said = source_of(
        "x = launch(['/bin/true'])", "pid = os.fork()", "status = score = check('m2', launch)", "os.fork()"
    )
    assert "check" not in said
    assert "fork()" not in said.replace("libc.fork()", "")
    assert "/bin/true" not in said


def test_a_cell_that_is_no_python_takes_nothing_with_it() -> None:
    said = source_of("this is no Python", "LIMIT = max(1, 2)")
    assert "this is" not in said
    assert "LIMIT = max(1, 2)" in said


TRIED = """def launch(argv):
    return wait(argv)

TABLE = {}
for name in ("a", "b"):
    TABLE[name] = len(name)
launch = traced(launch)
print(launch(["/bin/true"]),
      launch(["/bin/false"])); TABLE["c"] = 1
assert launch(["/bin/false"]).code == 1
if __name__ == "__main__":
    launch(["/bin/true"])

def try_it():
    return launch([])

seen = [try_it() for _ in range(3)]
score = check("m2_1_process_creation", launch)
try:
    import fcntl
except ImportError:
    fcntl = None
last = 1
"""


def test_attempts_in_the_solution_cell_are_left_out_and_lines_keep_their_numbers() -> None:
    said = source_of(solution=TRIED).split("\n")
    before = TRIED.split("\n")
    changed = {number: line for number, line in enumerate(said[: len(before)], 1) if line != before[number - 1]}
    assert changed == {8: 'pass; TABLE["c"] = 1', 9: "", 10: "pass", 11: "pass", 12: "", 17: "pass", 18: "pass"}


@pytest.mark.parametrize(
    ("written", "left"),
    [
        ("files = !ls -l", "files = None  # !ls -l"),
        ("t = %timeit -o 1", "t = None  # %timeit -o 1"),
        ("os.fork?", "pass  # os.fork?"),
        ("os.fork??", "pass  # os.fork??"),
        ("%%time\nLIMIT = 3", "pass  # %%time\nLIMIT = 3"),
        ("%%capture out\nLIMIT = 3", "pass  # %%capture out\nLIMIT = 3"),
        ("%time import os", "import os"),
        ("if True:\n    %timeit -n 3 -r2 LIMIT = 'a  b'", "if True:\n    LIMIT = 'a  b'"),
        ("%time", "pass  # %time"),
        ("%time for n in", "pass  # %time for n in"),
        ('x = (7\n% y)\nwords = """\n!no\n?"""', 'x = (7\n% y)\nwords = """\n!no\n?"""'),
        ("\ufeffLIMIT = 3", "LIMIT = 3"),
        ("word = 'half \ud800'", "word = 'half ?'"),
        ("if a == b: x = 'a %b'", "if a == b: x = 'a %b'"),
        ("x = 7\nx = y % z", "x = 7\nx = y % z"),
    ],
)
def test_the_notebooks_own_language_in_a_solution_cell_leaves_python(written: str, left: str) -> None:
    assert source_of(solution=f"{written}\n{SOLUTION}") == f"{left}\n{SOLUTION}\n"


def test_a_cell_that_a_magic_takes_elsewhere_is_no_answer() -> None:
    assert source_of(solution=f"%%sandbox\n{SOLUTION}").strip() == ""


def test_future_imports_of_any_cell_are_for_all_of_them() -> None:
    said = read(cell("import os"), cell(f"import os\nfrom __future__ import annotations\n{SOLUTION}", "answer"))
    assert said.futures == ("annotations",)
    assert said.parts[-1].text == f"import os\npass\n{SOLUTION}"


@pytest.mark.parametrize("grade_id", [{"a": 1}, ["a"], 7, None])
def test_an_odd_grade_id_takes_nothing_from_the_answer(grade_id: object) -> None:
    odd = {"cell_type": "code", "metadata": {"nbgrader": {"grade_id": grade_id, "solution": True}}, "source": SOLUTION}
    assert SOLUTION in read(odd).text


@pytest.mark.parametrize(
    "source",
    [
        "def f():\n    return " + "+".join(["1"] * 5000),
        "def f():\n    return " + "-" * 5000 + "1",
        "x = " + "[" * 150 + "]" * 150,
        "def f():\n    return f" + ".a" * 5000 + "()",
    ],
    ids=["sum", "minus", "brackets", "attributes"],
)
def test_code_that_is_too_deep_for_python_takes_only_itself(source: str) -> None:
    assert SOLUTION in source_of(source)


def test_a_deep_statement_takes_nothing_from_the_other_statements_of_its_cell() -> None:
    deep = "def f():\n    return " + "-" * 600 + "1"  # every Python reads that, ast.unparse does not
    said = source_of(f"import os\n{deep}\ndef helper():\n    return os.getpid()")
    assert SOLUTION in said
    assert "def helper():\n    return os.getpid()" in said


def test_more_code_than_anybody_writes_is_refused_with_a_sentence() -> None:
    with pytest.raises(UsageError, match="hold 2,0"):
        source_of("x = 1\n" * 333_334)


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.ipynb")
    for path, told in ((tmp_path / "pipe.ipynb", "no ordinary file"), (Path("/dev/zero"), "no ordinary file")):
        with pytest.raises(UsageError, match=told):
            read_cells(path)
    (tmp_path / "empty.ipynb").touch()
    with pytest.raises(UsageError, match="is empty"):
        read_cells(tmp_path / "empty.ipynb")


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("async def launch(argv): pass", "async function"),
        ("def launch(argv):\n    yield argv", "generator"),
        ("def launch(argv):\n    def inner():\n        yield\n    return [*inner()]", ""),
        ("import x\n@x.plain\nasync def launch(argv): pass", ""),
        ("async def other(): pass\ndef launch(argv): return other", ""),
        ("def launch(argv): (", ""),
    ],
)
def test_a_function_that_runs_nothing_when_called_is_told_apart(source: str, told: str) -> None:
    if not told:
        refuse_lazy_source(source, ("launch",))
        return
    with pytest.raises(UsageError, match=told):
        refuse_lazy_source(source, ("launch",))


# --- what an answer uses is there, wherever it is made

TABLE = "TABLE = {}"
USES = "def launch(argv):\n    return TABLE, NAMES"


@pytest.mark.parametrize(
    "filling",
    [
        "for n in range(3):\n    TABLE[n] = str(n)",
        "TABLE.update(a=1)",
        "TABLE['a'] = len('a')",
        "with open('/etc/hostname') as file:\n    NAMES = file.read()",
        "try:\n    import NAMES\nexcept ImportError:\n    NAMES = None",
        "NAMES = made = list(TABLE)",
        "if TABLE: NAMES, other = 1, 2",
        "TABLE += [1]",
    ],
)
def test_a_statement_of_an_added_cell_that_makes_what_the_answer_uses_is_kept(filling: str) -> None:
    said = read(cell(TABLE), cell(filling), cell(USES, "answer"))
    assert filling in said.text
    assert [part.whole for part in said.parts] == [False, False, True]


@pytest.mark.parametrize(
    "trial",
    [
        "for n in range(3):\n    TABLE[n] = launch([n])",
        "print(TABLE)",
        "os.environ.update(TABLE)",
        "import os\nos.chdir('/')",
        "pid = len(os.listdir())",
        "other = list(TABLE)",
        "for pid in range(3): os.kill(pid, 0)",
    ],
)
def test_a_statement_of_an_added_cell_that_makes_nothing_for_the_answer_is_left_out(trial: str) -> None:
    said = read(cell(TABLE), cell(trial), cell("import os\n" + USES.replace("return", "pid = 1; return"), "answer"))
    assert trial.partition("\n")[2 if trial.startswith("import") else 0] not in said.text
    assert TABLE in said.text


def test_what_a_needed_statement_uses_is_needed_too() -> None:
    said = read(
        cell("rows = sorted([3])"), cell("pairs = list(rows)"), cell("TABLE = dict(pairs)"), cell(USES, "answer")
    )
    assert len(said.parts) == 4


def test_lines_keep_their_numbers_in_every_cell_and_each_cell_has_a_name() -> None:
    said = read(cell("print(1)\n\nLIMIT = max(1, 2); print(2)\ndef helper():\n    return LIMIT"), cell(USES, "answer"))
    assert [part.name for part in said.parts] == ["<your cell 1: print(1)>", "<your cell with launch>"]
    assert said.parts[0].text == "pass\n\nLIMIT = max(1, 2); pass\ndef helper():\n    return LIMIT"


# --- a solution cell that was copied

UNFILLED = 'import os\ndef launch(argv):\n    """Run it."""\n    raise NotImplementedError("Your code goes here.")'


@pytest.mark.parametrize(
    ("copies", "counts"),
    [
        ([SOLUTION, UNFILLED], 0),
        ([UNFILLED, SOLUTION], 1),
        ([SOLUTION, SOLUTION.replace("talk", "walk")], 1),
        ([UNFILLED, SOLUTION, "", UNFILLED], 1),
        ([UNFILLED, UNFILLED], 1),
    ],
)
def test_of_a_copied_solution_cell_the_last_one_counts_that_is_filled_in(copies: list[str], counts: int) -> None:
    said = read(*(cell(text, "answer") for text in copies))
    (whole,) = [part.text for part in said.parts if part.whole]
    assert whole == copies[counts]
    assert [part.text for part in said.parts if "def launch" in part.text] == [whole]
    assert "The solution cell answer is there" in said.notes[0]


def test_helpers_of_a_copy_that_does_not_count_are_there() -> None:
    said = read(cell(f"def talk(): pass\n{UNFILLED}", "answer"), cell(SOLUTION, "answer"))
    assert "def talk(): pass" in said.text


# --- how long it takes, counted in calls


def calls(cells: list[dict[str, Any]]) -> int:
    """Calls of functions, Python's own included, until a notebook is read."""
    count = 0

    def see(frame: object, event: str, argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(see)
    try:
        read(*cells)
    finally:
        sys.setprofile(None)
    return count


LINES = ["f{n} = lambda: f{m}()", "def f{n}(): return f{m}()", "x = launch({n}); y = 1", "T[{n}] = T[{m}]", "    ", "%time x = {n}", "files = !ls", "x?"]  # fmt: skip


@given(lines=st.lists(st.sampled_from(LINES), min_size=1, max_size=4), joint=st.sampled_from("\n;"))
@settings(max_examples=15, deadline=None)
def test_reading_takes_no_more_than_its_share_of_calls_for_more_code(lines: list[str], joint: str) -> None:
    def work(count: int) -> int:
        text = joint.join(line.format(n=n, m=n + 1) for n in range(count) for line in lines)
        return calls([cell(text), cell(text, "answer")])

    short, long = work(40), work(160)
    assert long < 4.5 * short + 500


# --- how the cells are run, in the sandbox


def test_what_fails_in_an_added_cell_takes_only_its_statement_with_it() -> None:
    parts = [
        ("<your cell 1: x>", "TABLE = {1: 2}\nTABLE = missing\nTABLE[3] = 4\nsys.exit()\nLIMIT = 3", False),
        ("<your cell with launch>", "def launch():\n    return TABLE, LIMIT, exit\nexit()\nLIMIT = 4", True),
    ]
    namespace: dict[str, Any] = {}
    load(compiled(parts, ["annotations"]), namespace)
    assert namespace["launch"]() == ({1: 2, 3: 4}, 3, sys.exit)


def test_what_fails_in_a_solution_cell_is_said_with_the_lines_of_that_cell() -> None:
    cells = [("<your cell 1: x>", "LIMIT = 1\n\n", False), ("<your cell with launch>", "x = 1\n\nLIMIT / 0", True)]
    with pytest.raises(ZeroDivisionError) as caught:
        load(compiled(cells, []), {})
    assert caught.traceback[-1].lineno == 2  # counted from 0
    assert str(caught.traceback[-1].path) == "<your cell with launch>"
    with pytest.raises(SyntaxError) as unreadable:
        compiled([("<your cell with launch>", "x = 1\ndef launch(:", True)], [])
    assert (unreadable.value.filename, unreadable.value.lineno) == ("<your cell with launch>", 2)
