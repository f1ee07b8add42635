"""Hidden requirements of M2.6. For lecturers; never handed out."""

from __future__ import annotations

import errno
import random

from udock_lab.grading.exercise import Bench, Exercise
from udock_lab.grading.exercises.m2_6_exec_failure import trial
from udock_lab.model import Requirement

__all__ = ["HIDDEN"]

REQUIREMENTS = (
    Requirement(
        key="errnos",
        name="every other errno of execve arrives as it is, with code 126",
        points=1,
        lesson='m2_6_exec_failure, "Action"',
    ),
    Requirement(
        key="inherits",
        name="the program gets all its words and the environment",
        points=1,
        lesson='m2_1b_exec_and_wait, "Action"',
    ),
)

ODD = {"loop": errno.ELOOP, "closed/inside": errno.ENOTDIR, "x" * 300: errno.ENAMETOOLONG, "long": errno.E2BIG}
INHERITS = """
import os
os.environ["UDOCK_TOKEN"] = token
run(["/bin/sh", "-c", 'cat /proc/$$/cmdline > words; echo "$UDOCK_TOKEN" >> words', *words])
"""


def judge(bench: Bench) -> None:
    """Judge errors of execve that a lesson does not show, then what the program got from its parent."""
    programs = [(name, [name]) for name in list(ODD)[:3]]
    programs.append(("long", ["/bin/sh", "x" * 300_000]))
    made = trial(bench, programs, {"closed": ("no folder", 0o644)})
    seen = {name: words[1] for name, words in made.said.items() if words[0] == "ExitInfo"}
    if seen == {name: [126, None, number] for name, number in ODD.items()}:
        bench.hold("errnos")
    else:
        bench.fail("errnos", expected=str(ODD), seen=str(made.said)[:300], go_on=True)
    token = f"{random.randrange(10**9)} and more"
    words = [f"name{random.randrange(100)}", "two words", "", "*"]
    result = bench.play(INHERITS, values={"token": token, "words": words})
    *got, last = result.files.get("words", b"").decode(errors="replace").split("\0")
    wanted = ["/bin/sh", *words, f"{token}\n"]
    if [*got[:1], *got[3:], last] == wanted:  # between them: -c and the script
        bench.hold("inherits")
    else:
        bench.fail("inherits", expected=str(wanted), seen=str([*got, last]))


HIDDEN = Exercise(
    slug="m2_6_exec_failure",
    title="run(argv): what is judged when you hand in",
    functions=("run",),
    requirements=REQUIREMENTS,
    judge=judge,
)
