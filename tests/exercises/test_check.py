"""``check`` in a cell of a real kernel: a number with a report, hints one at a time, mistakes without a traceback."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

jupyter_client = pytest.importorskip("jupyter_client")

RIGHT = """
import os as system
from udock_lab.grading import ExitInfo, check

FAILED = 127

class Decoder:
    def __call__(self, status):
        if system.WIFSIGNALED(status):
            return ExitInfo(signal=system.WTERMSIG(status))
        return ExitInfo(code=system.WEXITSTATUS(status))

def in_the_child(argv):
    try:
        system.execv(argv[0], argv)
    finally:
        system._exit(FAILED)

decoded = Decoder()

def launch(argv):
    pid = system.fork() or in_the_child(argv)
    return decoded(system.waitpid(pid, 0)[1])
"""
RAW = """
def launch(argv):
    pid = system.fork() or in_the_child(argv)
    return ExitInfo(code=system.waitpid(pid, 0)[1])
"""
CHECK = 'check("m2_1_process_creation", launch)'


@dataclass
class Cell:
    """What a cell put out."""

    printed: str = ""
    data: dict[str, str] = field(default_factory=dict)
    error: str = ""
    traceback: str = ""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Cell]]:
    folder = tmp_path_factory.mktemp("kernel")
    manager = jupyter_client.KernelManager(kernel_name="python3")
    manager.start_kernel(env=os.environ | {"HOME": str(folder)}, cwd=folder)
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=60)
    yield lambda code: _execute(client, code)
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def _execute(client: Any, code: str) -> Cell:
    cell = Cell()

    def hear(message: dict[str, Any]) -> None:
        kind, content = message["msg_type"], message["content"]
        if kind == "stream":
            cell.printed += content["text"]
        elif kind == "execute_result":
            cell.data = content["data"]
        elif kind == "error":
            cell.error, cell.traceback = content["ename"], "\n".join(content["traceback"])

    client.execute_interactive(code, timeout=60, output_hook=hear)
    return cell


def test_check_is_a_number_and_prints_nothing(run: Callable[[str], Cell]) -> None:
    """nbgrader reads the number, and gives no points to a cell that writes to stderr."""
    run(RIGHT)
    cell = run(f"score = {CHECK}\nscore")
    assert cell.printed == ""
    assert float(cell.data["text/plain"]) == 7
    assert "7 of 7 points" in cell.data["text/html"]


def test_printed_score_is_the_report(run: Callable[[str], Cell]) -> None:
    run(RIGHT)
    lines = run(f"print({CHECK})").printed.splitlines()
    assert lines[0].endswith("7 of 7 points")
    assert [line.split()[0] for line in lines[1:]] == ["ok"] * 7


def test_failure_says_what_was_expected_seen_and_mistaken(run: Callable[[str], Cell]) -> None:
    run(RIGHT)
    run(RAW)
    said = run(f"score = {CHECK}; print(score)").printed
    assert "2 of 7 points" in said
    assert "expected ExitInfo(code=" in said
    assert "seen you returned ExitInfo(code=" in said
    assert "this looks like: the raw wait status taken for the exit code" in said
    assert said.count("  NOT   ") == 5  # each by itself: none waits for the first


def test_failure_leads_to_the_section_of_the_lesson(run: Callable[[str], Cell]) -> None:
    run(RIGHT)
    run(RAW)
    assert "<a href" not in run(CHECK).data["text/html"]  # no lesson lies near
    run("import os, pathlib\nos.makedirs('exercises/m2_1'); pathlib.Path('m2_1b_exec_and_wait.ipynb').touch()")
    run("os.chdir('exercises/m2_1')")
    leads_to = 'href="../../m2_1b_exec_and_wait.ipynb#What-waitpid-hands-back"'
    assert leads_to in run(CHECK).data["text/html"]
    run("os.chdir('../..')")


def test_check_warns_of_a_hidden_requirement_that_is_public_by_name(run: Callable[[str], Cell]) -> None:
    run(RIGHT.replace("system.execv(argv[0], argv)", 'system.execve(argv[0], argv, {"PATH": "/bin"})'))
    said = run(f"print({CHECK})").printed
    assert "7 of 7 points" in said
    assert "The program got 1 of the 3 variables that launch has. When you hand in, it is judged" in said


def test_each_changed_answer_is_a_try_and_what_is_not_written_is_none(run: Callable[[str], Cell]) -> None:
    """The words can't be read as a penalty: the best stays."""
    run("import os; os.path.exists('.mdock/progress.json') and os.unlink('.mdock/progress.json')")
    run(RIGHT)
    assert "tries so far" not in run(CHECK).data["text/html"]
    run(f"{RAW}# a comment makes no other answer")
    said = run(CHECK).data["text/html"]
    assert "2 tries so far (a try is a check of a changed answer). Points at each: 7, 2. Your best, 7, is kept." in said
    run(RAW)
    assert "2 tries so far" in run(CHECK).data["text/html"]
    run("def launch(argv):\n    raise NotImplementedError")
    assert "tries so far" not in run(CHECK).data["text/html"]
    run(RAW.replace("code=", "code=0 * "))
    assert "Points at each: 7, 2, 2. " in run(CHECK).data["text/html"]
    run(RIGHT.replace("FAILED = 127", "FAILED = 126"))
    assert "Points at each: 7, 2, 2, 5. " in run(CHECK).data["text/html"]


def test_hints_come_one_at_a_time_and_the_last_one_stays(run: Callable[[str], Cell]) -> None:
    run(RIGHT)
    run(RAW)
    run(f"score = {CHECK}")
    hints = [run("print(score.hint())").printed for _ in range(3)]
    assert [hint.split(":")[0] for hint in hints] == ["Hint 1 of 2", "Hint 2 of 2", "Hint 2 of 2"]
    shown = run("score.hint()").data
    assert shown["text/plain"].startswith("Hint 2 of 2: ")  # no quotes around it
    assert "Hint 2 of 2: " in shown["text/html"]


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        ('check("m2_1_process_creation")', "UsageError", 'Write: check("m2_1_process_creation", launch)'),
        ('check("m2_1_process_creation", launch, launch)', "UsageError", "you gave 2"),
        ('check("m2_1_process_creation", ExitInfo(3))', "UsageError", "launch must be a function; you gave ExitInfo"),
        ('check("m2_1_proces_creation", launch)', "NotFound", "Did you mean 'm2_1_process_creation'?"),
        ("check(launch)", "UsageError", "the exercise's name, in quotes"),
    ],
)
def test_wrong_arguments_say_what_to_write(run: Callable[[str], Cell], call: str, error: str, words: str) -> None:
    run(RIGHT)
    cell = run(call)
    assert cell.error == error
    assert words in cell.traceback
    assert "File" not in cell.traceback


def test_function_that_cannot_be_copied_is_said_so(run: Callable[[str], Cell]) -> None:
    run(RIGHT)
    run("codes = (n for n in range(3))\ndef launch(argv):\n    return ExitInfo(next(codes))")
    cell = run(f"print({CHECK})")
    assert cell.error == ""
    assert "0 of 7 points" in cell.printed
    assert "The name 'codes' (generator) cannot be copied into the sandbox" in cell.printed


@pytest.mark.parametrize("body", ["raise NotImplementedError", "'''Run it.'''\n    ...", "pass"])
def test_an_unwritten_function_waits_for_its_learner_and_nothing_is_judged(
    run: Callable[[str], Cell], body: str
) -> None:
    run(RIGHT)
    run(f"import os\n\ndef launch(argv):\n    {body}")
    cell = run(f"score = {CHECK}\nscore")
    assert float(cell.data["text/plain"]) == 0
    said = run("print(score)").printed
    assert "waits for you: launch" in said.splitlines()[0]
    assert "waits for you: launch is not written yet (cell In [" in said and "], line 3)" in said
    assert [line for line in said.splitlines() if " NOT " in line or "of 7 points" in line] == []
    assert "✖" not in cell.data["text/html"]
    assert "of 2: " in run("print(score.hint())").printed


def test_of_two_functions_the_one_that_is_written_is_judged(run: Callable[[str], Cell]) -> None:
    run("from udock_lab.grading import check")
    run(r"""
import re

def next_id(db):
    try:
        with open(db, "rb") as table:
            found = [int(one[1]) for line in table if (one := re.match(rb"\s*c([0-9]+)\s*\|", line))]
    except FileNotFoundError:
        found = []
    return f"c{max(found, default=0) + 1}"

def allocate(db):
    raise NotImplementedError
""")
    said = run('print(check("m2_3_container_ids", next_id, allocate))').printed
    lines = said.splitlines()
    assert lines[1].split()[0] == "ok"
    assert " NOT " not in said
    assert "waits for you: allocate is not written yet (cell In [" in said


def test_the_line_that_was_handed_out_and_left_in_is_named(run: Callable[[str], Cell]) -> None:
    run(RIGHT)
    run("def launch(argv):\n    pid = system.fork() or in_the_child(argv)\n    raise NotImplementedError")
    said = run(f"print({CHECK})").printed
    assert (
        "this looks like: the line raise NotImplementedError, which was handed out, is still in your function" in said
    )


def test_error_has_the_learners_own_line_also_of_a_function_in_another_cell(run: Callable[[str], Cell]) -> None:
    run(RIGHT)
    run("def decoded(status):\n    return system.WEXITSTAUS(status)")
    said = run(f"print({CHECK})").printed
    assert "launch raised AttributeError: module 'os' has no attribute 'WEXITSTAUS'" in said
    assert "(your line 2: return system.WEXITSTAUS(status))" in said


@pytest.mark.parametrize("name", ["exit", "quit"])
def test_exit_in_the_child_is_judged_and_explained(run: Callable[[str], Cell], name: str) -> None:
    """In a notebook these two are IPython's own, and its whole shell hangs on them."""
    run(RIGHT)
    run(f"def in_the_child(argv):\n    try:\n        system.execv(argv[0], argv)\n    finally:\n        {name}(FAILED)")
    said = run(f"print({CHECK})").printed
    assert "5 of 7 points" in said
    assert f"in it launch raised SystemExit: 127 (your line 5: {name}(FAILED))" in said
    assert "this looks like: sys.exit or exit in the child" in said


def test_the_notebooks_own_names_are_said_to_be_its_own(run: Callable[[str], Cell]) -> None:
    run(RIGHT)
    run("def launch(argv):\n    return get_ipython().run_line_magic('pwd', '')")
    assert "name 'get_ipython' is not defined: it belongs to the notebook" in run(f"print({CHECK})").printed


def test_hidden_half_is_for_those_who_have_it(run: Callable[[str], Cell]) -> None:
    run(RIGHT)
    folder = Path(__file__).parents[2] / "exercises" / "instructor"
    missing = run('from udock_lab.grading import check_hidden\ncheck_hidden("m2_1_process_creation", launch)')
    assert missing.error == ""
    assert "Your lecturer has them, and judges them when you hand in" in missing.data["text/plain"]
    run(f"import os; os.environ['UDOCK_INSTRUCTOR'] = {str(folder)!r}")
    cell = run('check_hidden("m2_1_process_creation", launch)')
    assert float(cell.data["text/plain"]) == 2


# --- what a graded run will not have

USES = "def launch(argv):\n    return ExitInfo(code=TABLE.get(0))"


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        (["TABLE = {}", "TABLE[0] = launch", "for n in range(3): TABLE[n] = n"], ""),
        (
            ["TABLE = {}", "try: TABLE[0] = launch([])\nexcept Exception: pass"],
            "TABLE is made or filled by a statement that calls launch",
        ),
        (["%reset_selective -f TABLE", "%run -i made.py"], "TABLE is made by no cell that a graded run takes"),
        (["def launch(argv):\n    exit(127)"], ""),
        (
            ["def launch(argv):\n    get_ipython()"],
            "get_ipython belongs to the notebook; a graded run does not have it",
        ),
        (["import sys\ndef launch(argv):\n    sys.exit(127)"], ""),
        (["def launch(argv):\n    return ExitInfo(code=len(open(argv[0]).read()))"], ""),  # IPython has its own
    ],
)
def test_check_warns_of_what_will_not_be_there_when_graded(
    run: Callable[[str], Cell], cells: list[str], told: str
) -> None:
    run("%reset -f in\n%reset -f")
    run("open('made.py', 'w').write('TABLE = {}')")
    run("from udock_lab.grading import ExitInfo, check")
    run(USES)
    for cell in cells:
        assert run(cell).error == ""
    said = run(f"print({CHECK})").printed
    assert "of 7 points" in said
    if told:
        assert said.count("graded run") == 1 and told in said
    else:
        assert "graded run" not in said
