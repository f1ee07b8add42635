"""Hidden requirements of M2.1. For lecturers; never handed out."""

from __future__ import annotations

import random

from udock_lab.grading import evidence as ev
from udock_lab.grading.exercise import Bench, Exercise
from udock_lab.model import Requirement

__all__ = ["HIDDEN"]

REQUIREMENTS = (
    Requirement(
        key="codes",
        name="every exit code from 0 to 255 arrives unchanged",
        points=1,
        lesson='m2_1b_exec_and_wait, "What waitpid hands back"',
    ),
    Requirement(
        key="inherits",
        name="the program inherits the environment and no open file beyond 0, 1 and 2",
        points=1,
        lesson='m2_1b_exec_and_wait, "Action"',
    ),
)

SECONDS = 5.0  # a scenario takes half a second
CODES = """
__value__ = [tuple(launch(["/bin/sh", "-c", f"exit {code}"])) for code in codes]
"""
INHERITS = """
import os
os.environ["UDOCK_TOKEN"] = token
kept = os.open("/dev/null", os.O_RDONLY)
launch(["/bin/sh", "-c", 'echo "$UDOCK_TOKEN" > token; echo /proc/self/fd/* > fds'])
"""


def judge(bench: Bench) -> None:
    """Edges of the code's range, then what the program got from its parent."""
    if _codes(bench):
        _inherits(bench)


def _codes(bench: Bench) -> bool:
    """Whether it is worth while to go on: not for what did not come back in time."""
    codes = [0, 255, *random.sample(range(1, 255), 3)]
    result = bench.play(CODES, values={"codes": codes}, timeout=SECONDS)
    value = ev.seen_value(result)
    ended = [process.status.code for process in result.children if process.status]
    really = result.untraced or set(codes) <= set(ended)  # a program that nobody ran has no code
    if value == [[code, None, None] for code in codes] and really:
        bench.hold("codes")
    else:
        bench.fail("codes", expected=str(codes), seen=str(value), go_on=True)
    return not result.verdict.startswith("stopped after")


def _inherits(bench: Bench) -> None:
    token = f"{random.randrange(10**9)} and more"
    result = bench.play(INHERITS, values={"token": token}, timeout=SECONDS)
    fds = {path.rpartition("/")[2] for path in result.files.get("fds", b"").decode(errors="replace").split()}
    got = result.files.get("token", b"").decode(errors="replace").strip()
    if got == token and fds <= {"0", "1", "2", "3"}:  # 3: the listing itself
        bench.hold("inherits")
    else:
        bench.fail("inherits", expected="the environment; 0, 1, 2", seen=f"{sorted(fds)}")


HIDDEN = Exercise(
    slug="m2_1_process_creation",
    title="launch(argv): what is judged when you hand in",
    functions=("launch",),
    requirements=REQUIREMENTS,
    judge=judge,
)
