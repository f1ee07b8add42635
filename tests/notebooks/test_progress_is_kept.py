"""What a learner did stays: real kernels, a fresh HOME, nothing set that a user does not set; as root and not."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from udock_lab.lesson.outline import COURSE

ROOT = Path(__file__).resolve().parents[2]
PLAY = Path(__file__).with_name("kernels.py")
BEGIN = "%load_ext udock_lab\nfrom udock_lab.lesson import *\nlesson = begin('m2_1a_fork')"
ASK = "lines = predict('lines', 'How many?', {'one': 'no', 'two': 'both return'})"
TASK = "task = put_in_order('x', ['print(1)', 'print(2)'], expect='2\\n1\\n', goal='2 comes first')"
TICKET = "ticket = exit_ticket(('1 + 1?', 2, 'so it is'), ('word?', 'fork', 'so it is'))"
CHECK = (
    "from udock_lab.grading import check\n"
    "def launch(program, arguments): return None\nfloat(check('m2_1_process_creation', launch))"
)
OF_A_SETUP = ("MDOCK_HOME", "UDOCK_WIDGETS", "IPYTHONDIR", "JUPYTER_", "XDG_")

pytestmark = pytest.mark.timeout(400)


class Learner:
    """Somebody with a HOME of their own."""

    def __init__(self, who: str) -> None:
        self.who = who
        self.home = Path(tempfile.mkdtemp(prefix="learner-"))
        self.home.chmod(0o777)

    def environment(self, **more: str) -> dict[str, str]:
        users = {name: value for name, value in os.environ.items() if not name.startswith(OF_A_SETUP)}
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"  # as udock-lab start sets it
        return users | {"HOME": str(self.home), "PATH": path} | more

    def play(self, *steps: tuple[str, str], **more: str) -> list[str]:
        """What is to be read below each cell."""
        words = [sys.executable, str(ROOT / "scripts" / "with_privilege.py"), self.who, sys.executable, str(PLAY)]
        done = subprocess.run(
            words, input=json.dumps(steps), env=self.environment(**more), cwd=self.home,
            capture_output=True, text=True, timeout=380,
        )  # fmt: skip
        if done.returncode == 77:
            pytest.skip(f"needs privilege: {done.stderr.strip()}")
        assert done.returncode == 0, done.stderr
        said: list[str] = json.loads(done.stdout)
        return said

    def progress(self, folder: str = ".mdock") -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.home / folder / "progress.json").read_text())
        return found


pytestmark = pytest.mark.in_turn(2)  # as root, and as an ordinary user


@pytest.fixture(params=["root", "user"])
def learner(request: pytest.FixtureRequest) -> Iterator[Learner]:
    learner = Learner(request.param)
    yield learner
    shutil.rmtree(learner.home)


def row(text: str) -> list[str]:
    """What the map of ``progress()`` says of the lesson: its state, then its counts."""
    (line,) = [line for line in text.splitlines() if " m2_1a Fork" in line]
    box, *counts = line.split(" · ")
    return [box[box.index("[") + 1 : box.index("]")].strip(), *counts]


def test_a_killed_kernel_costs_no_answer_no_try_no_score_and_no_lock(learner: Learner) -> None:
    a = "a"
    taken = [BEGIN, ASK, "lines.answer('one')", "lines.settle('two')", TASK + "\ntask.attempt(0, 1)", TICKET,
             "ticket.answer(3)", CHECK]  # fmt: skip
    again = [BEGIN, ASK, "lines.answer('two')", "progress()", TASK, TICKET, "lines.settle('two')", "lesson.end()"]
    said = learner.play(*((a, cell) for cell in taken), (a, "kill"), *((a, cell) for cell in again))
    _, asked, refused, board, task, ticket, verdict, end = said[len(taken) :]
    assert "(x) one" in asked and "Your answer is locked: one." in asked
    assert refused.startswith("UsageError: Your answer 'one' is locked")
    assert row(board)[:3] == ["begun", "2 of 5 answered, 0 right", "order open after 1 try"]
    assert f"· exercise {float(said[len(taken) - 1]):g} of" in board
    assert "You tried 1 time, not solved yet." in task
    assert "Your answer 3: not yet." in ticket
    assert verdict.startswith("Not what happened. You said one, the machine says two.")
    assert "predictions: 1 of 1 answered, 0 right" in end
    kept = learner.progress()
    assert kept["predictions"]["m2_1a_fork"]["lines"].pop("at") > 1e9
    assert kept["predictions"] == {"m2_1a_fork": {"lines": {"answer": "one", "late": False, "verdict": "wrong"}}}
    lesson = kept["lessons"]["m2_1a_fork"]
    assert (lesson["done"], lesson["orders"]["x"]["tries"], lesson["orders"]["x"]["solved"]) == (True, 1, False)
    assert lesson["asked"] == {"predictions": ["lines"], "orders": ["x"], "ticket": ["1 + 1?", "word?"]}
    assert kept["tickets"] == {"m2_1a_fork": {"ticket": {"right": [False, False]}}}
    assert "m2_1_process_creation" in kept["exercises"]


def test_the_whole_first_lesson_leaves_its_answers_behind(learner: Learner) -> None:
    begin = BEGIN.replace("m2_1a_fork", "00_start_here")
    cells = [begin, ASK, "lines.answer('two')", "lines.settle('two')", "lesson.end()", "progress()",
             "import os\n'MDOCK_HOME' in os.environ"]  # fmt: skip
    said = learner.play(*(("a", cell) for cell in cells))
    assert learner.progress()["predictions"]["00_start_here"]["lines"]["verdict"] == "right"
    assert f"1 of {len(COURSE)} lessons done" in said[-2]
    assert said[-1] == "False\n"


def test_restart_and_the_first_cell_again_unlock_nothing(learner: Learner) -> None:
    taken = [("a", BEGIN), ("a", ASK), ("a", "lines.answer('one')")]
    again = [("a", BEGIN), ("a", ASK), ("a", "lines.answer('two')")]
    said = learner.play(*taken, *again, ("a", "restart"), *again, ("a", "lesson.end()"), *again)
    for asked, refused in (said[4:6], said[7:9], said[11:13]):
        assert "(x) one" in asked
        assert refused.startswith("UsageError: Your answer 'one' is locked")


def test_of_two_notebooks_the_first_to_lock_wins_and_a_reset_reaches_the_other(learner: Learner) -> None:
    said = learner.play(
        ("a", BEGIN), ("b", BEGIN), ("a", ASK), ("b", ASK), ("b", "lines.answer('one')"), ("a", "lines.answer('two')"),
        ("a", "lines"), ("a", "progress()"), ("a", "_ = progress().reset('m2_1a_fork')"), ("b", "lines.settle('two')"),
        ("b", "lesson.end()"), ("a", "lines.answer('two')"), ("a", "lesson.end()"),
    )  # fmt: skip
    assert said[5].startswith("UsageError: Your answer 'one' is locked")
    assert "(x) one" in said[6]
    assert row(said[7])[:2] == ["begun", "1 of 5 answered, 0 right"]
    assert said[9].startswith("No verdict yet")
    assert "(x) two" in said[11]
    assert learner.progress()["predictions"]["m2_1a_fork"]["lines"].items() >= {"answer": "two", "late": False}.items()


def test_processes_of_a_lesson_use_its_home_and_the_learner_s_progress(learner: Learner) -> None:
    (learner.home / "inner.py").write_text(
        "from udock_lab.lesson import *\nlesson = begin('m2_4_metadata')\n"
        "predict('x', '?', {'a': '', 'b': ''}).answer('a')\nlesson.end()\nprint(progress())"
    )
    said = learner.play(
        ("a", BEGIN), ("a", ASK), ("a", "lines.answer('one')"), ("a", "%mdock run demo -- /bin/true"),
        ("a", "!mdock ps"), ("a", "!python inner.py"), ("a", "progress()"),
        ("a", "lesson.end()"),
    )  # fmt: skip
    assert "c1" in said[4]
    assert row(said[5])[0] == row(said[6])[0] == "begun"
    assert f"0 of {len(COURSE)} lessons done" in said[5]
    assert list(learner.progress()["predictions"]) == ["m2_1a_fork", "m2_4_metadata"]
    assert not (learner.home / ".mdock" / "containers.db").exists()


def test_what_a_cell_does_to_home_and_folder_moves_no_answer(learner: Learner) -> None:
    elsewhere = "import os\nos.mkdir('elsewhere')\nos.chdir('elsewhere')\nos.environ['HOME'] = os.getcwd()"
    cells = [BEGIN, elsewhere, ASK, "lines.answer('one')", "progress()", "lesson.end()"]
    said = learner.play(*(("a", cell) for cell in cells), MDOCK_HOME="mine")
    assert row(said[4])[0] == "begun"
    assert learner.progress("mine")["predictions"]["m2_1a_fork"]["lines"]["answer"] == "one"
    assert learner.progress("mine")["lessons"]["m2_1a_fork"]["done"] is True
    assert not (learner.home / "elsewhere" / ".mdock").exists()
    assert not (learner.home / ".mdock").exists()


def test_the_scratch_home_of_a_killed_kernel_is_gone_with_the_next_lesson(learner: Learner) -> None:
    run = "r = %mdock run -d demo -- /bin/sleep 300\nprint(lesson.home, r.pid)"
    said = learner.play(("a", BEGIN), ("a", run), ("a", "kill"), ("a", BEGIN), ("a", "lesson.end()"))
    home, pid = said[1].split()[-2:]
    assert not Path(home).parent.exists()
    assert not Path(f"/proc/{pid}/root").exists()


def test_a_file_that_may_not_be_read_now_is_not_written_over(learner: Learner) -> None:
    close, again = "!chmod 0 ~/.mdock/progress.json", "!chmod 600 ~/.mdock/progress.json"
    said = learner.play(
        ("a", BEGIN), ("a", ASK), ("a", "lines.answer('one')"), ("a", close), ("a", "lines.settle('two')"),
        ("a", f"{TASK}\ntask.try_order(0, 1)"), ("a", again), ("a", "progress()"), ("a", "lesson.end()"),
    )  # fmt: skip
    assert said[4].splitlines()[-3:][0].endswith("You said one, the machine says two.")
    assert learner.who == "root" or "Your progress is not kept." in "".join(said[4:6])
    assert row(said[7])[:2] == ["begun", "1 of 5 answered, 0 right"]
    assert learner.progress()["predictions"]["m2_1a_fork"]["lines"]["answer"] == "one"
