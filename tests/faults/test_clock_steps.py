"""The wall clock jumps: liveness, uptime and the order of things do not hang on it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from udock_lab import Runtime
from udock_lab.linux.process import boot_id, start_ticks
from udock_lab.model import Status
from udock_lab.runtime.state import containers
from udock_lab.runtime.state.home import Home

STEPS = [
    "0001-01-01T00:00:00",
    "1970-01-01T00:00:00",
    "2038-01-19T03:14:08",
    "2999-12-31T23:59:59",
    "9999-12-31T23:59:59",
]


def edit(path: str, pattern: str, new: str) -> None:
    file = Path(path)
    changed, count = re.subn(pattern, new, file.read_text())
    assert count
    file.write_text(changed)


@pytest.fixture
def sleeper(runtime: Runtime, chroot_works: None) -> Iterator[Runtime]:
    """c1 runs."""
    runtime.run("demo", ["/bin/sleep", "60"], detach=True)
    yield runtime
    if runtime.ps(running=True):
        runtime.rm("c1", force=True)


@pytest.mark.parametrize("start", STEPS)
def test_running_container_stays_alive_with_a_small_uptime_whatever_the_clock_said(
    sleeper: Runtime, start: str
) -> None:
    edit(sleeper.home.containers_db, r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", start)
    container = sleeper.ps()[0]
    assert container.alive and container.state == "running"
    assert container.uptime is not None and 0 <= container.uptime < 30
    assert sleeper.inspect("c1").data["alive"] is True
    with pytest.raises(Exception, match="is running"):
        sleeper.rm("c1")
    record = sleeper.stop("c1")
    assert (record.status, record.exit_code, record.start_time) == (Status.STOPPED, 143, start)


@pytest.mark.parametrize("start", [*STEPS, "yesterday", "2025-02-31T99:99:99", ""])
@pytest.mark.parametrize("extra", ["{}", '{"started_boottime": 1e300}', '{"started_boottime": -Infinity}',
                                   '{"started_boottime": NaN}', "[" * 100_000])  # fmt: skip
def test_foreign_record_with_any_start_time_is_shown_without_a_negative_uptime(
    tmp_path: Path, start: str, extra: str
) -> None:
    home = Home(tmp_path / ".mdock")
    home.create()
    Path(home.containers_db).write_text(f"c1|{os.getpid()}|demo|running|{start}|-1|-1\n")
    Path(home.container_dir("c1")).mkdir()
    Path(home.container_dir("c1"), "spec.json").write_text(extra)
    container = Runtime(home, forked=True).ps()[0]
    assert container.uptime is None or container.uptime >= 0
    shown = subprocess.run(
        [sys.executable, "-m", "udock_lab.cli", "ps"],
        env=os.environ | {"HOME": str(tmp_path)}, capture_output=True, text=True,
    ) if start in ("", STEPS[0]) else None  # fmt: skip
    assert shown is None or (shown.returncode == 0 and "c1" in shown.stdout and shown.stderr == "")


def test_same_pid_in_another_boot_or_with_another_start_is_another_process(sleeper: Runtime) -> None:
    spec = Path(sleeper.home.container_dir("c1"), "spec.json")
    kept = json.loads(spec.read_text())
    assert kept["boot_id"] == boot_id() and kept["start_ticks"] == start_ticks(kept["pid"])
    for lie in ({"boot_id": "another boot"}, {"start_ticks": kept["start_ticks"] - 1}):
        spec.write_text(json.dumps(kept | lie | {"supervisor": 0}))
        container = sleeper.ps()[0]
        assert not container.alive and container.state == "exited (orphaned)"
    spec.write_text(json.dumps(kept))
    assert sleeper.ps()[0].alive


def test_clock_set_back_between_start_and_end_gives_an_end_before_the_start_and_no_harm(sleeper: Runtime) -> None:
    edit(sleeper.home.containers_db, r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", "2999-01-01T00:00:00")
    sleeper.kill("c1")
    record = containers.find(sleeper.home, "c1")
    assert record.end_time is not None and record.end_time < record.start_time
    assert sleeper.ps()[0].state == "killed" and sleeper.ps()[0].uptime is None
    assert sleeper.run("demo", ["/bin/true"]).id == "c2"
    assert sleeper.prune() == ["c1", "c2"]


def seen_in(zone: str, home: Home) -> str:
    """The state of c1, as ``mdock ps`` says it in another time zone (POSIX spelling: no table of zones is needed)."""
    command = [sys.executable, "-m", "udock_lab.cli", "inspect", "c1"]
    done = subprocess.run(command, env=os.environ | {"TZ": zone}, capture_output=True, text=True, check=True)
    return str(json.loads(done.stdout)["state"])


@pytest.mark.parametrize("zone", ["UTC0", "EAST-14", "WEST+12", "HALF-5:45"])
def test_a_record_without_its_spec_is_judged_alike_in_every_time_zone(sleeper: Runtime, zone: str) -> None:
    """A C original's: nothing but a local time, of a zone that it does not name, tells when it began."""
    shutil.rmtree(sleeper.home.container_dir("c1"))
    table, now = Path(sleeper.home.containers_db), time.time()
    for hours, state in ((-30, "running"), (0, "running"), (20, "running"), (26, "exited (orphaned)")):
        written = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now - hours * 3600))
        edit(str(table), r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", written)
        assert seen_in(zone, sleeper.home) == state, hours
    edit(str(table), r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", time.strftime("%Y-%m-%dT%H:%M:%S"))


@pytest.mark.parametrize("zone", ["EAST-14", "WEST+12"])
def test_changing_the_time_zone_orphans_nothing_and_uptime_stays(sleeper: Runtime, zone: str) -> None:
    assert seen_in(zone, sleeper.home) == "running"
    shutil.rmtree(sleeper.home.container_dir("c1"))
    assert seen_in(zone, sleeper.home) == "running"
    assert 0 <= (sleeper.ps()[0].uptime or -1) < 600
