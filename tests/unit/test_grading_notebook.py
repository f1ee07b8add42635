"""What of a submitted notebook is the learner's answer."""

from __future__ import annotations

from typing import Any

from udock_lab.grading.handout import Handout
from udock_lab.grading.notebook import solution_source

HANDOUT = Handout(checks=(), given={}, solutions=frozenset({"answer"}))


def cell(source: str, grade_id: str = "") -> dict[str, Any]:
    facts = {"nbgrader": {"grade_id": grade_id, "solution": True}} if grade_id else {}
    return {"cell_type": "code", "metadata": facts, "source": source}


SOLUTION = "def launch(argv):\n    return libc.fork(), LIMIT, talk"


def source_of(*extras: str, solution: str = SOLUTION) -> str:
    return solution_source([*map(cell, extras), cell(solution, "answer")], HANDOUT, ["launch"])


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
