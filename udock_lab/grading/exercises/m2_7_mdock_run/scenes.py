"""The scenes of M2.7: what a referee arranges, and what it sees of runners and programs."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from udock_lab.grading.exercises.m2_7_mdock_run.referee import Referee, came_to, outcomes
from udock_lab.grading.exercises.m2_7_mdock_run.runners import (
    Call,
    Watch,
    held_back,
    in_a_row,
    in_one_run,
    in_ten_at_once,
    killed_before_its_record,
)
from udock_lab.grading.exercises.m2_7_mdock_run.stage import Home, patience, polls, put, take, the_kernel_says, waits
from udock_lab.grading.inside import high, may_chroot
from udock_lab.grading.workers import Gate, Load

__all__ = ["HeldProgram", "not_there", "one_after_another", "orphan", "programs", "put_on", "ten_at_once"]

GATED = "echo $$ > started; read code < gate; exit $code"
_GONE = 1.0  # seconds for an orphan to end, or to begin what it must not


def not_there(load: Load, *, image: str, history: str, names: list[str]) -> dict[str, Any]:
    """Run programs in images that images.db does not have."""
    referee = Referee(load)
    home = Home("home", image, history)
    calls: list[Call] = [(name, name, ["/bin/sh", "-c", f"echo $$ > ran-{n}"]) for n, name in enumerate(names)]
    runner = referee.start(in_a_row, home, calls, None)
    referee.until(partial(came_to, runner, len(names)))
    seen = {
        "row": {
            name: {"said": said, "forks": forks, "copy": copy, "ran": home.said(f"ran-{n}")[1]}
            for n, (name, said, forks, copy) in enumerate(outcomes(runner))
        },
        "gone": runner.gone,
        "table": home.content(),
    }
    referee.end()
    return seen


class HeldProgram:
    """A run whose program waits for a word: what is to be seen meanwhile, and after it."""

    def __init__(self, referee: Referee, home: Home, watch: Watch, script: str = GATED) -> None:
        self.referee, self.home = referee, home
        os.mkfifo(f"{home.root}/gate")
        self.gate = high(os.open(f"{home.root}/gate", os.O_RDWR))  # both ways (fifo(7)): nobody is waited for
        for folder in home.places().values():
            if folder != home.root:
                os.link(f"{home.root}/gate", f"{folder}/gate")
        call: Call = ("gated", home.image, ["/bin/sh", "-c", script])
        self.runner = referee.start(in_one_run, home, call, watch)

    def begins(self) -> bool:
        """Wait until the program has begun, or run has come back without."""
        self.referee.until(lambda: self.pid or self.outcome or self.runner.gone)
        return bool(self.pid)

    @property
    def pid(self) -> str:
        """The program's word on its own number."""
        return self.home.said("started")[0]

    @property
    def outcome(self) -> list[Any] | None:
        """What came of run: [name, said, forks, what a copy said]."""
        return next(iter(outcomes(self.runner)), None)

    def opens(self, code: int) -> None:
        """Say the word that it waits for: its exit code."""
        os.write(self.gate, f"{code}\n".encode())

    def ends(self, code: int) -> bool:
        """Let it end; return whether run came back."""
        self.opens(code)
        self.referee.until(lambda: self.outcome or self.runner.gone)
        return self.outcome is not None


def programs(
    load: Load, *, image: str, history: str, token: dict[str, str], code: int, calls: list[Call]
) -> dict[str, Any]:
    """Run one program that is held while questions are asked; beside it one that must not start, and many in a row."""
    referee = Referee(load)
    seen: dict[str, Any] = {"may chroot": may_chroot()}
    put_on(token)
    home = Home("home", image, history)
    held = HeldProgram(referee, home, held_back)
    held.begins()
    seen |= {"while it runs": home.content(), "pid": held.pid, "runner": held.runner.pid}
    if held.pid:
        seen |= {"began": home.said("started")[1], "kernel": the_kernel_says(int(held.pid), home)}
    os.close(os.open("looked", os.O_CREAT | os.O_WRONLY))
    if held.pid:
        seen["history"], seen["another"] = _others_begin(home, held.pid)
    second = time.time()
    if held.pid or held.outcome:
        seen["orphan"] = orphan(referee, Home("third", image, history))
        second_home = Home("second", image, history)
        second_home.add_image("gone", f"{second_home.path}/images/gone")
        seen["row"] = list(one_after_another(referee, second_home, calls))
        time.sleep(max(0.0, 1.02 - second % 1 - (time.time() - second)))  # time(2), as strftime asks it, is behind
    reader = high(os.open(home.table, os.O_RDONLY))
    before = os.pread(reader, 1 << 16, 0)
    seen["came back"] = "row" in seen and held.ends(code)
    seen["ended"] = held.runner.gone
    seen["in place"] = os.pread(reader, 1 << 16, 0) != before
    seen |= {"outcome": held.outcome, "table": home.content(), "torn": take("torn")}
    referee.end()
    return seen


def put_on(variables: dict[str, str]) -> None:
    """Have these variables, and the time of that zone: what is forked from here on has them, too."""
    os.environ.update(variables)
    time.tzset()


def _others_begin(home: Home, pid: str) -> tuple[str, str]:
    """Meanwhile others begin in another pid namespace, where their number is the same.

    Return the table as it was, with the first one's record changed, and the line of the second, whose id has one digit
    more than that of this run.
    """
    own = [line.partition("|")[0] for line in home.content().split("\n") if line.split("|")[1:2] == [pid]]
    changed = home.history.replace("\nc2|4002|", f"\nc2|{pid}|")
    put(f"{home.table}.other", home.content().replace(home.history, changed, 1))
    os.replace(f"{home.table}.other", home.table)
    line = f"{own[-1] if own else 'c1'}0|{pid}|{home.image}|running|2024-03-01T10:00:02||\n"
    home.add(line)
    return changed, line


def one_after_another(
    referee: Referee, home: Home, calls: list[Call], work: Callable[..., object] = in_a_row
) -> Iterator[dict[str, Any]]:
    """Call run for each in one process, which does this ``work``; say what came of it, and how the table is then."""
    gate = Gate()
    calls = [(name, image, [os.path.abspath(argv[0]), *argv[1:]]) for name, image, argv in calls]  # "./garbage"
    runner = referee.start(work, home, calls, gate)
    for number, (name, *_) in enumerate(calls, 1):
        referee.until(partial(came_to, runner, number))
        found = outcomes(runner)
        came = len(found) >= number
        yield {
            "name": name,
            "came back": came,
            "said": found[number - 1][1] if came else None,
            "copy": found[number - 1][3] if came else None,
            "forks": found[number - 1][2] if came else 0,
            "taken": "taken" in runner.words,
            "table": home.content(),
            "pid": home.said(f"pid-{name}")[0],
        }
        if not came:
            return
        gate.open()


def orphan(referee: Referee, home: Home) -> dict[str, Any]:
    """Kill a runner before it has written its record; say whether its program begins all the same."""
    call: Call = ("orphan", home.image, ["/bin/sh", "-c", "echo $$ > orphan"])
    runner = referee.start(in_one_run, home, call, killed_before_its_record)
    referee.until(lambda: came_to(runner, 1))
    if "killed" not in runner.words:
        return {"killed": False}
    referee.until(lambda: home.said("orphan")[0] or _still(referee.orphans()), patience(_GONE))
    pid = home.said("orphan")[0]
    for child in referee.orphans():
        os.kill(child, signal.SIGKILL)
    recorded = any(line.split("|")[1:2] == [pid] and line.count("|") == 6 for line in home.content().split("\n"))
    return {"killed": True, "unrecorded": pid if not recorded else ""}


def _still(pids: list[int]) -> bool:
    """Return whether they wait for something that will not come: a moment later they still do."""
    for _ in range(3):
        if not all(waits(pid) or polls(pid) for pid in pids):
            return False
        time.sleep(0.02)
    return True


def ten_at_once(load: Load, *, image: str, history: str, before: Call, calls: list[Call]) -> dict[str, Any]:
    """Run a program; then ten in ten processes that the first runner forks."""
    referee = Referee(load)
    home = Home("home", image, history)
    gate = Gate()
    first = referee.start(in_ten_at_once, home, before, calls, gate)
    referee.until(lambda: "ready" in first.words or first.gone)
    gate.open(len(calls))

    def told() -> list[list[Any]]:
        return [outcome for one in referee.all.values() for outcome in outcomes(one)]

    referee.until(lambda: len(told()) >= 1 + len(calls) or first.gone)
    seen = {
        "told": {name: said for name, said, *_ in told()},
        "table": home.content(),
        "may chroot": may_chroot(),
        "pids": {name: home.said(f"pid-{name}")[0] for name, *_ in calls},
    }
    referee.end()
    return seen
