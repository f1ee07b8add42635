"""How the hidden requirements of M2.4 are judged."""

from __future__ import annotations

import random

from udock_lab.grading import evidence as ev
from udock_lab.grading.bench import Bench
from udock_lab.grading.exercise import Story
from udock_lab.grading.exercises.m2_4_metadata.judge import UNSTEPPED, UNTRACED, watch
from udock_lab.grading.scenario import apart, job
from udock_lab.grading.tables import a_row, a_table, a_zone, an_ending

from .requirements import REQUIREMENTS

__all__ = ["STORIES"]


MODES = apart(
    "table, record, ending, modes",
    """
import os
from udock_lab.grading import ContainerRecord
found = []
os.mkdir("home")
for mode, umask in modes:
    db = os.path.abspath("home/containers.db")
    with open(db, "wb") as file:
        file.write(table)
    os.chmod(db, mode)
    os.umask(umask)
    update(db, *ending)
    found.append(os.stat(db).st_mode & 0o7777)
    save(db, ContainerRecord(*record))
    found.append(os.stat(db).st_mode & 0o7777)
return found
""",
)
FAILS = apart(
    "table, ending, unknown",
    """
import os, resource
found = []
os.mkdir("home")
db = os.path.abspath("home/containers.db")
with open(db, "wb") as file:
    file.write(table)
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
for room, ending in ((soft, unknown), (len(table) - 7, ending), (len(table) // 3, ending), (0, ending)):
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
    try:
        update(db, *ending)
    except Exception:
        pass
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    found += [sorted(name for name in os.listdir("home") if name != "containers.db.lock")]
return found
""",
)


def judge(bench: Bench) -> None:
    """Judge permissions under different umasks, failures of all kinds, then the next update after each kill."""
    _, east = a_zone(summer_time=True)
    rows = [a_row(number) for number in random.sample(range(10, 99), 40)]
    table, ending = b"".join(a_table(rows, east)), tuple(an_ending(rows[20], "exited", 3))
    unknown = tuple(an_ending(rows[20]._replace(id="c500"), "exited", 3))
    modes = [(0o640, 0o077), (0o664, 0o022), (0o600, 0o000), (0o604, 0o022)]
    values = job(table=table, record=tuple(a_row(700)), ending=ending, modes=modes)
    found = ev.seen_value(bench.play(MODES, values=values, **UNTRACED))
    _judge(bench, "mode", found == [mode for mode, _ in modes for _ in ("update", "save")], found)
    left = ev.seen_value(bench.play(FAILS, values=job(table=table, ending=ending, unknown=unknown), **UNTRACED))
    _judge(bench, "tidy", left == [["containers.db"]] * 4, left)
    _, told, tables = watch(bench)
    after = [text for _, _, text in told["kills"]] if told else []
    if told and not told["stepped"] and all(text == tables.next.decode("latin-1") for text in after):
        bench.skip("again", UNSTEPPED)
        return
    _judge(bench, "again", bool(told) and all(text == tables.next.decode("latin-1") for text in after), after)


def _judge(bench: Bench, key: str, holds: bool, seen: object) -> None:
    if holds:
        bench.hold(key)
    else:
        bench.fail(key, expected="as the statement says", seen=str(seen)[:200], go_on=True)


STORIES = (Story(judge, tuple(requirement.key for requirement in REQUIREMENTS)),)
