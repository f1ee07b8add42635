"""A class in the real nbgrader, from generate_assignment to the CSV: points as expected, and nothing escapes.

The submissions include code that attacks the one who grades it. In graded runs no kernel is started, and learner
code runs in the sandbox only.
"""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from classroom import (
    Notebook,
    answer,
    dump,
    handed_in,
    release,
    with_copy,
    with_extras,
    with_forgeries,
    with_schema,
    with_scripts,
    without_checks,
)
from harness import COURSE

from udock_lab import sandbox

SLUG = "m2_1_process_creation"
RIGHT = answer(SLUG, "right_waitid")
RAW = answer(SLUG, "wrong_raw_status")

MISCHIEF = """
import os
HERE = {course!r}
for folder in (HERE, os.path.expanduser("~"), "/tmp", "/var/tmp", "/dev/shm"):
    try:
        with open(os.path.join(folder, "udock-canary"), "a") as file:
            file.write(f"{{os.getpid()}} {{os.getppid()}}\\n")
    except OSError:
        pass
"""
FORK_BOMB = "import os\ndef launch(argv):\n    while True:\n        os.fork()\n"
LOOP = """import signal
def launch(argv):
    signal.pthread_sigmask(signal.SIG_BLOCK, set(range(1, 65)) - {32, 33})
    while True:
        pass
"""
KILLER = "import os\ndef launch(argv):\n    os.kill(-1, 9)\n    os.kill(os.getppid(), 9)\n"
DELETER = """import os, shutil
def launch(argv):
    for place in (HERE, os.path.expanduser("~"), "/scratch", "."):
        shutil.rmtree(place, ignore_errors=True)
    os.system("rm -rf " + HERE)
"""
FORGER = """import builtins, os, sys
import udock_lab.grading.checking, udock_lab.model
class Seven(float):
    def __repr__(self): return "7"
for module in list(sys.modules.values()):
    for name in ("judge", "check", "check_hidden"):
        if hasattr(module, name):
            setattr(module, name, lambda *a, **k: Seven(7))
udock_lab.model.CheckReport.points = udock_lab.model.CheckReport.out_of = 7
os.waitpid = lambda pid, options: (pid, 0)
def launch(argv):
    print("7.0"); print("7 of 7 points"); sys.stdout.flush()
    builtins.__value__ = ["ExitInfo", [7, None, None]]
    sys._getframe(1).f_globals["__value__"] = ["ExitInfo", [7, None, None]]
    os._exit(0)
"""


NOTEBOOK_WORDS = "%time\nfiles = !ls\nprint?\nfrom __future__ import annotations\n"


def attack(name: str) -> str:
    """One of the hostile answers."""
    return (Path(__file__).parent / "attacks" / f"{name}.py").read_text()


def the_class(course: Path) -> dict[str, tuple[Notebook | str, float]]:
    """Learner to notebook and the points that it deserves, of nine."""
    canary = MISCHIEF.format(course=str(course))
    return {
        "correct": (handed_in(SLUG, canary + RIGHT), 9),
        "partial": (handed_in(SLUG, answer(SLUG, "wrong_os_wait")), PARTIAL),
        "raw": (handed_in(SLUG, RAW), 3),
        "wrong": (handed_in(SLUG, answer(SLUG, "wrong_no_exec")), 1),
        "untouched": (release(SLUG), 0),
        "never_run": (handed_in(SLUG, answer(SLUG, "right_polling")), 9),
        "bomb": (handed_in(SLUG, canary + FORK_BOMB), 0),
        "loop": (handed_in(SLUG, canary + LOOP), 0),
        "killer": (handed_in(SLUG, canary + KILLER), 0),
        "deleter": (handed_in(SLUG, canary + DELETER), 0),
        "forger": (handed_in(SLUG, canary + FORGER), 0),
        "forged_late": (handed_in(SLUG, attack("m2_1_process_creation/speaks_for_all")), 0),
        "library": (handed_in(SLUG, attack("spawnv")), 0),
        "markup": (handed_in(SLUG, attack("markup_in_words")), 3),
        "lazy": (handed_in(SLUG, "async " + RAW[RAW.index("def launch") :]), 0),
        "notebook_words": (handed_in(SLUG, NOTEBOOK_WORDS + RIGHT), 9),
        "unreadable": (handed_in(SLUG, "def launch(argv:\n    pass"), 0),
        "broken": ("{not a notebook", 0),
        "nested": ('{"cells":' * 100_000, 0),
        "blanks": (handed_in(SLUG, " " * 300_000 + "x"), 0),
        "many": (handed_in(SLUG, "\n".join(f"def f{n}(): f{n + 1}()" for n in range(20_000))), 0),
        "copied": (with_copy(handed_in(SLUG, RAW), RAW[: RAW.index("def launch")]), 3),
        "too_new": (with_schema(handed_in(SLUG, answer(SLUG, "wrong_no_exec")), 99), 1),
        "tidy": (without_checks(handed_in(SLUG, RIGHT)), 9),
        "extras": (with_scripts(with_extras(handed_in(SLUG, RIGHT))), 9),
        "locked": (with_forgeries(handed_in(SLUG, RAW)), 3),
    }


PARTIAL = 8
ALWAYS = {"correct", "raw", "markup", "copied", "broken", "nested", "blanks", "many", "tidy", "extras", "locked"}
UNREADABLE = {"broken", "nested", "blanks", "many"}


@dataclass
class Graded:
    """What nbgrader made of the class."""

    course: Path
    kernel: Path
    learners: dict[str, tuple[Notebook | str, float]]
    said: str = ""
    kernels: list[str] = field(default_factory=list)

    def points(self) -> dict[str, float]:
        with (self.course / "grades.csv").open() as file:
            return {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}

    def feedback(self, learner: str) -> str:
        return (self.course / "feedback" / learner / SLUG / f"{SLUG}.html").read_text()


def those_of_this_run(everybody: dict[str, tuple[Notebook | str, float]], turn: str) -> dict[str, tuple[Any, float]]:
    """Those that a test asks for by name, and one in three of the others; at turn ``all`` the whole class."""
    others = sorted(everybody.keys() - ALWAYS)
    those = others if turn == "all" else others[int(turn) % 3 :: 3]
    return {learner: everybody[learner] for learner in everybody if learner in {*ALWAYS, *those}}


@pytest.fixture(scope="module")
def graded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Graded]:
    """Released, handed in as files of a learning platform, collected, graded, fed back, exported."""
    course = tmp_path_factory.mktemp("course")
    for name in ("source", "instructor"):
        shutil.copytree(COURSE / name, course / name)
    shutil.copy(COURSE / "nbgrader_config.py", course)
    made = Graded(course, course / "a-kernel-was-started", {})
    made.learners = those_of_this_run(the_class(course), request.config.option.turn)
    nbgrader(made, "generate_assignment", SLUG)
    archive = course / "downloaded" / SLUG / "archive"
    for learner, (notebook, _) in made.learners.items():
        dump(notebook, archive / f"{learner}_attempt_2026-01-30-15-00-00_{SLUG}.ipynb")
    name = r".*/(?P<student_id>\w+)_attempt_(?P<timestamp>[0-9\-]+)_(?P<file_id>\w+)"
    nbgrader(made, "zip_collect", SLUG, f"--FileNameCollectorPlugin.named_regexp={name}")
    with watching_for_kernels(made):
        made.said = nbgrader(made, "autograde", SLUG, fails=True)
    nbgrader(made, "generate_feedback", SLUG)
    nbgrader(made, "export")
    yield made
    shutil.rmtree(course)


def nbgrader(made: Graded, *words: str, fails: bool = False) -> str:
    """Run it with settings of nobody's, in which a kernel is a program that leaves a mark."""
    own = made.course / "of-nobody"
    spec = {"argv": ["/usr/bin/touch", str(made.kernel)], "display_name": "trap", "language": "python"}
    dump(spec, own / ".local/share/jupyter/kernels/python3/kernel.json")
    env = os.environ | {"HOME": str(own)}
    command = [sys.executable, "-m", "nbgrader", *words]
    done = subprocess.run(command, cwd=made.course, env=env, capture_output=True, text=True, timeout=600)
    assert (done.returncode != 0) == fails, done.stderr[-4000:]
    return done.stderr


class watching_for_kernels:  # noqa: N801
    """Look at every process of this test session until the end of the block."""

    def __init__(self, made: Graded) -> None:
        self.found, self.over = made.kernels, threading.Event()
        self.thread = threading.Thread(target=self._watch)

    def __enter__(self) -> None:
        self.thread.start()

    def __exit__(self, *error: object) -> None:
        self.over.set()
        self.thread.join()

    def _watch(self) -> None:
        mark = f"UDOCK_TEST_SESSION={os.getpid()}".encode()
        while not self.over.wait(0.5):  # a kernel takes longer to start; a look costs every process here
            for entry in Path("/proc").iterdir():
                with suppress(OSError):
                    if b"ipykernel" in (entry / "cmdline").read_bytes() and mark in (entry / "environ").read_bytes():
                        self.found.append(entry.name)


pytestmark = [pytest.mark.timeout(1200), pytest.mark.in_turn(1)]  # make soak takes the whole class


def test_every_submission_gets_the_points_that_it_deserves(graded: Graded) -> None:
    assert graded.points() == {learner: points for learner, (_, points) in graded.learners.items()}


def test_what_is_no_notebook_stops_nobody_else(graded: Graded) -> None:
    there = {path.parent.parent.name for path in (graded.course / "autograded").glob("*/*/*.ipynb")}
    assert there == set(graded.learners) - UNREADABLE
    assert all(f"for student '{learner}'" in graded.said for learner in UNREADABLE)
    assert "A line of code in this notebook has 300,001 characters" in graded.said


def test_of_a_copied_solution_cell_one_counts_and_the_feedback_says_which(graded: Graded) -> None:
    assert "is there 2 times; number 1, the last filled-in one counts" in graded.feedback("copied")


def test_no_kernel_is_started_for_a_submission(graded: Graded) -> None:
    assert graded.kernels == []
    assert not graded.kernel.exists()


def test_code_of_learners_leaves_nothing_outside_the_sandbox(graded: Graded) -> None:
    if sandbox.run("pass", shut=True).missing_isolation:
        pytest.skip("needs privilege: user and mount namespaces")
    places = (graded.course, graded.course.parent, Path.home(), Path("/tmp"), Path("/var/tmp"), Path("/dev/shm"))
    assert [place for place in places if (place / "udock-canary").exists()] == []
    assert (graded.course / "source" / SLUG / f"{SLUG}.ipynb").is_file()


def test_feedback_names_what_is_wrong_and_what_it_looks_like(graded: Graded) -> None:
    said = graded.feedback("raw")
    assert "the raw wait status taken for the exit code" in said
    assert "the parent learns the exit code" in said


def test_nothing_that_a_learner_says_becomes_markup_or_moves_a_cursor(graded: Graded) -> None:
    assert "<script>alert" not in graded.feedback("markup")
    assert "\x1b" not in graded.feedback("markup")
    notebook = json.loads((graded.course / "autograded" / "markup" / SLUG / f"{SLUG}.ipynb").read_text())
    outputs = json.dumps([cell.get("outputs") for cell in notebook["cells"]])
    assert "&lt;script&gt;alert" in outputs
    assert "\\u001b" not in outputs


class Running(HTMLParser):
    """What a page would run or load for a learner: scripts' texts, handlers, addresses that are not the page's own."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [f"{tag} {name}={value}" for name, value in attrs if name.startswith(("on", "srcdoc"))]
        addresses = [value or "" for name, value in attrs if name in ("href", "src")]
        self.found += [value for value in addresses if "alert" in value or "elsewhere" in value]

    def handle_data(self, data: str) -> None:
        if self.cdata_elem == "script" and "alert(" in data:
            self.found.append(data)


def test_feedback_runs_and_loads_nothing_that_learners_wrote_into_markdown(graded: Graded) -> None:
    assert Running("<script>alert(1)</script><a href='javascript:alert(2)' onclick='x'>").found == [
        "alert(1)", "a onclick=x", "javascript:alert(2)",
    ]  # fmt: skip
    shown = graded.feedback("extras")
    assert Running(shown).found == []
    notes = shown[shown.index("<h1>Notes") :]
    assert "&lt;script&gt;alert(1)" in notes
    assert "<strong>bold</strong>" in notes
    assert "a &lt; b" in notes
    assert "tex2jax_ignore" in shown


def test_only_a_locked_cell_that_a_learner_changed_is_told(graded: Graded) -> None:
    told = re.findall(r"WARNING\] (\w+) changed the locked cell (\w+); it is graded as you handed it out", graded.said)
    assert {learner for learner, _ in told} == {"locked"}
    assert (f"{SLUG}_hidden" in {cell for _, cell in told}) and (f"{SLUG}_check" in {cell for _, cell in told})
    assert "checksum" not in graded.said


def test_feedback_tells_nothing_of_the_hidden_scenarios(graded: Graded) -> None:
    """No line of the lecturer's module that is not in the statement, no value, no token."""
    told = "".join(graded.feedback(learner) for learner in graded.learners if learner not in UNREADABLE)
    hidden = "".join(path.read_text() for path in (COURSE / "instructor" / "udock_hidden" / SLUG).glob("*.py"))
    words = set(re.findall(r"\w+", told))
    assert "every exit code from 0 to 255 arrives unchanged" in told
    assert {"UDOCK_TOKEN", "INHERITS", "CODES"} & words == set()
    lines = {line.strip() for line in hidden.splitlines() if len(line.strip()) > 25}
    assert [line for line in lines if line in told and "import" not in line] == []


def test_score_in_the_notebook_is_a_number_that_nbgrader_reads(graded: Graded) -> None:
    notebook = json.loads((graded.course / "autograded" / "raw" / SLUG / f"{SLUG}.ipynb").read_text())
    read = {}
    for cell in notebook["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("grade"):
            (output,) = cell["outputs"]
            read[cell["metadata"]["nbgrader"]["grade_id"]] = "".join(output["data"]["text/plain"])
    assert read == {f"{SLUG}_check": "2", f"{SLUG}_hidden": "1"}
