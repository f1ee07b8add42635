"""How the hidden requirements of M2.6 are judged."""

from __future__ import annotations

import errno
import random

from udock_lab.grading.bench import Bench
from udock_lab.grading.exercise import Story
from udock_lab.grading.exercises.m2_6_exec_failure.judge import trial

from .requirements import REQUIREMENTS

__all__ = ["STORIES"]


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


STORIES = (Story(judge, tuple(requirement.key for requirement in REQUIREMENTS)),)
