"""How the hidden requirements of M2.1 are judged."""

from __future__ import annotations

import random

from udock_lab.grading import evidence as ev
from udock_lab.grading.bench import Bench
from udock_lab.grading.exercise import Story

from .requirements import REQUIREMENTS

__all__ = ["STORIES"]


SECONDS = 5.0
ALL_CODES = 16.0  # seconds; it takes one, and more where a launch looks now and then instead of waiting
# Each program leaves a trace of its own: a code that nobody ran is none. Eight processes launch at once.
CODES = """
import os
def __launch_all(codes):
    for code in codes:
        made = launch(["/bin/sh", "-c", f"echo {code} >> ran; exit {code}"])
        words = [int(number) if isinstance(number, int) else number for number in made]
        with open("said", "a") as file:
            file.write(f"{code} {words}\\n")
workers = []
for first in range(8):
    pid = os.fork()
    if pid == 0:
        try:
            __launch_all(range(first, 256, 8))
        finally:
            os._exit(0)
    workers.append(pid)
for pid in workers:
    os.waitpid(pid, 0)
__value__ = [list(launch(["/bin/sh", "-c", "echo once >> times; exit $(wc -l < times)"])) for _ in "12"]
"""
INHERITS = """
import os
os.environ["UDOCK_TOKEN"] = token
kept = os.open("/dev/null", os.O_RDONLY)
launch(["/bin/sh", "-c", 'set -- /proc/$$/fd/[0-9]; echo "$*" > fds; echo "$UDOCK_TOKEN" > token'])
"""


def judge(bench: Bench) -> None:
    """Judge the edges of the code's range, then what the program got from its parent."""
    if _codes(bench):
        _inherits(bench)


def _codes(bench: Bench) -> bool:
    """Return whether it is worth while to go on: not for what did not come back in time."""
    wanted = [f"{code} [{code}, None, None]" for code in range(256)]
    result = bench.play(CODES, timeout=ALL_CODES, trace=False, watch=False)
    said = result.files.get("said", b"").decode(errors="replace").splitlines()
    ran = result.files.get("ran", b"").split()
    twice = ev.seen_value(result)  # the same words again are another program, and may end otherwise
    if sorted(said) == sorted(wanted) and len(ran) == len(wanted) and twice == [[1, None, None], [2, None, None]]:
        bench.hold("codes")
    else:
        wrong = sorted(set(wanted) - set(said))
        bench.fail("codes", expected=str(wrong[:9]), seen=f"{sorted(set(said) - set(wanted))[:9]}, {twice}", go_on=True)
    return not result.verdict.startswith("stopped after")


def _inherits(bench: Bench) -> None:
    token = f"{random.randrange(10**9)} and more"
    result = bench.play(INHERITS, values={"token": token}, timeout=SECONDS)
    fds = {path.rpartition("/")[2] for path in result.files.get("fds", b"").decode(errors="replace").split()}
    got = result.files.get("token", b"").decode(errors="replace").strip()
    if got == token and {"0", "1", "2"} <= fds <= {"0", "1", "2", "3"}:  # 3: the listing itself
        bench.hold("inherits")
    else:
        bench.fail("inherits", expected="the environment; 0, 1, 2", seen=f"{sorted(fds)}")


STORIES = (Story(judge, tuple(requirement.key for requirement in REQUIREMENTS)),)
