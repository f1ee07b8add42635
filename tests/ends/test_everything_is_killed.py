"""kill -9 of everything in turn: ids stay unique, records true, and nothing is left that prune and rm do not remove."""

from __future__ import annotations

import os
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from as_users import Mdock, until
from havoc import Lane, Notebook, ids_given_out, inside, of_this_home, unexplained

from udock_lab import MdockError
from udock_lab.linux.process import descendants

LANES = 3


def havoc(mdock: Mdock, runs: int, seed: int) -> list[Lane]:
    """That many runs, some at a time."""
    lanes = [Lane(mdock, f"{seed} {number}") for number in range(LANES)]
    with ThreadPoolExecutor(LANES) as pool:
        list(pool.map(lambda lane: lane.run(runs // LANES), lanes))
    for lane in lanes:
        lane.faults += filter(None, [lane.notebook.close()])
    return lanes


def what_was_told_is_true(mdock: Mdock, lanes: list[Lane]) -> None:
    """Ids are unique, records parse, and what runs is recorded as running."""
    home = mdock.home / ".mdock"
    given = ids_given_out(home)
    assert [name for name, times in Counter(given).items() if times > 1] == []
    told = [name for lane in lanes for name in lane.ids]
    assert len(set(told)) == len(told)
    found = mdock.runtime.ps()
    assert mdock.runtime.complaints() == []
    assert len({one.id for one in found}) == len(found)
    assert {one.state for one in found} <= {"running", "exited", "stopped", "killed", "exited (orphaned)"}
    until(lambda: unexplained(mdock) == {}, "the end of what no record accounts for")


def all_of_it_can_be_removed(mdock: Mdock) -> None:
    """Afterwards no process, mount or file is left."""
    home, runtime = mdock.home / ".mdock", mdock.runtime
    for one in runtime.ps(running=True):
        with suppress(MdockError):  # it has just ended by itself
            runtime.rm(one.id, force=True)
    runtime.prune()
    assert runtime.ps() == []
    until(lambda: inside(home) == {}, "the end of all containers")
    until(lambda: of_this_home(mdock) == {}, "the end of all supervisors")
    assert str(home) not in Path("/proc/self/mounts").read_text()
    assert [os.listdir(home / name) for name in ("containers", "logs")] == [[], []]
    assert sorted(os.listdir(home / "images")) == ["demo"]
    assert set(os.listdir(home / "run")) <= {"lock", "highest_id", "known_table", "config"}
    assert set(os.listdir(home)) == {"containers.db", "images.db", "log.txt", "logs", "images", "containers", "run"}


def a_fresh_launcher_keeps_no_descriptor(mdock: Mdock) -> None:
    """After runs of each kind it holds what it held after the first one."""
    notebook = Notebook(mdock)

    def run(**options: object) -> int:
        notebook.tell("run", "demo", ["/bin/sh", "-c", "exit 3"], **options)
        assert (notebook.answer() or [""])[0] == "ok"
        launcher = notebook.launcher()
        assert launcher is not None
        until(lambda: len(descendants(launcher)) == 2, "the next child, below the forker")
        return launcher

    def held() -> int:
        return len(os.listdir(f"/proc/{launcher}/fd"))

    launcher = run()
    time.sleep(0.5)  # the next child's descriptors follow it
    first = held()
    ways: list[dict[str, object]] = [{"detach": True}, {"remove": True}, {"copy": True}, {"tty": True}, {}]
    assert [run(**way) for way in ways] == [launcher] * len(ways)
    until(lambda: held() == first, f"{first} descriptors of a launcher that has {held()}")
    assert notebook.close() == ""


def survives(mdock: Mdock, runs: int, seed: int) -> None:
    print(f"seed {seed}, {runs} runs")
    start = time.monotonic()
    lanes = havoc(mdock, runs, seed)
    killed = sum((Counter(lane.killed) for lane in lanes), Counter())
    print(f"{time.monotonic() - start:.0f} s, killed: {dict(killed)}, {len(mdock.runtime.ps())} records")
    assert [fault for lane in lanes for fault in lane.faults] == []
    what_was_told_is_true(mdock, lanes)
    all_of_it_can_be_removed(mdock)
    a_fresh_launcher_keeps_no_descriptor(mdock)


def test_everything_is_killed_in_turn_and_nothing_is_left(mdock: Mdock) -> None:
    survives(mdock, 30, seed=time.time_ns() % 1_000_000)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_everything_is_killed_in_turn_in_2000_runs_and_nothing_is_left(mdock: Mdock) -> None:
    survives(mdock, 2000, seed=time.time_ns() % 1_000_000)
