"""A child that is stopped before each system call that changes a file: what is seen there is what a kill leaves."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "privileged"))
import rungs

# What the tests do, in a process of its own: stepping forks, and a test runner may have threads.
PROGRAM = """
import os, sys
from udock_lab.linux.stepping import step_by_step
os.chdir(sys.argv[-1])
def rewrite():
    with open("table", "w") as file:
        file.write("new")
def look(name):
    seen.append((name, open("table").read()))
def reset():
    with open("table", "w") as file:
        file.write("old")
seen = []
reset()
print(step_by_step(rewrite, look), seen, open("table").read())
reset()
print(step_by_step(rewrite, lambda name: None, kill_at=2), open("table").read() or "empty")
reset()
print(step_by_step(lambda: open("table").read(), look, kill_at=1), step_by_step(lambda: 1 / 0, look))
"""


def run(tmp_path: Path, *rung: str) -> list[str]:
    code = f"import sys; sys.argv.append({str(tmp_path)!r})\n" + PROGRAM
    done = rungs.run(list(rung), code)
    assert done.stderr == ""
    return done.stdout.splitlines()


def test_a_truncated_table_is_seen_between_open_and_write(tmp_path: Path) -> None:
    assert run(tmp_path)[0] == "0 [('openat', 'old'), ('write', '')] new"


def test_a_child_killed_at_its_second_call_leaves_what_was_seen_there(tmp_path: Path) -> None:
    assert run(tmp_path)[1] == f"{int(signal.SIGKILL)} empty"


def test_a_child_that_only_reads_is_never_stopped_and_one_that_raises_says_so(tmp_path: Path) -> None:
    assert run(tmp_path)[2] == "0 256"


def test_without_a_listener_nothing_is_run(tmp_path: Path) -> None:
    assert run(tmp_path, "refuse=listener")[0] == "None [] old"


def test_no_privilege_is_needed(open_folder: Path) -> None:
    assert run(open_folder, "nobody")[0] == "0 [('openat', 'old'), ('write', '')] new"


def test_a_program_is_seen_before_it_runs_where_that_is_asked_for() -> None:
    code = """
import os, subprocess
from udock_lab.linux.stepping import FILE_CALLS, PROGRAM_CALLS, step_by_step
seen = []
step_by_step(lambda: subprocess.run(["/bin/true"]), seen.append, calls=FILE_CALLS | PROGRAM_CALLS)
print("execve" in seen)
"""
    assert rungs.run([], code).stdout.strip() == "True"
