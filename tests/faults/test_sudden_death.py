"""SIGKILL at any instant: every other record stays, the table parses, the next run works.

The kernel does the killing: strace injects SIGKILL at the entry of the n-th call of a kind, in whichever
process of the run makes it (caller, supervisor or child).
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from hostile import eventually
from sudden import CALLS, die_at
from waiting import sleeps, until

from udock_lab import Runtime
from udock_lab.linux.process import descendants, session_members, state
from udock_lab.runtime.client.connection import supervisors_of
from udock_lab.runtime.state import containers
from udock_lab.runtime.state.lock import locked

PROGRAM = "['/bin/sh', '-c', 'echo x; exit 3']"
SCRIPT = f"from udock_lab import Runtime; Runtime(forked=True).run('demo', {PROGRAM})"
WAITING = f"""
import sys
from udock_lab import Runtime
runtime = Runtime(forked=sys.argv[1] == "forked")
runtime.run("demo", ["/bin/true"])
print("ready", flush=True)
sys.stdin.readline()
runtime.run("demo", {PROGRAM})
"""
MODES = ["forked", "launcher"]  # the command line's way, and the notebook's with a spare child at its gate


def start_caller(mode: str) -> subprocess.Popen[str]:
    """A process that has run one container, so that everything is imported, and waits for a line to run another."""
    command = [sys.executable, "-c", WAITING, mode]
    caller = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert caller.stdout is not None and caller.stdout.readline() == "ready\n"
    return caller


def check(runtime: Runtime, before: bytes, ids: set[str]) -> None:
    with locked(runtime.home, 5):  # nobody keeps the lock
        data = Path(runtime.home.containers_db).read_bytes()
    assert data.startswith(before), "a record that was complete has changed"
    found, corrupt = containers.read_all(runtime.home)
    assert corrupt == [] and runtime.complaints() == []
    assert len({record.id for record in found}) == len(found)
    assert not set(os.listdir(runtime.home.path)) - {
        "containers.db", "images.db", "log.txt", "logs", "images", "containers", "run",
    } - {name for name in os.listdir(runtime.home.path) if name.endswith(".tmp")}  # fmt: skip
    assert not {record.id for record in found} - ids or len(found) == len(ids) + 1


WAITS = "until test -e /tmp/go; do sleep 0.02; done"


def go_on(runtime: Runtime) -> None:
    """Let go on what WAITS in the image demo."""
    place = Path(runtime.home.image_rootfs("demo"), "tmp")
    place.mkdir(exist_ok=True)
    (place / "go").touch()


def settle(runtime: Runtime) -> None:
    """What lost its supervisor ends by itself; then the records may be looked at."""
    if not until(lambda: not any(container.alive for container in runtime.ps())):
        raise AssertionError([container for container in runtime.ps() if container.alive])


def survive(strace: str, runtime: Runtime, mode: str, kind: str, number: int) -> bool:
    caller = start_caller(mode)
    settle(runtime)
    if mode == "forked":
        eventually(lambda: all(state(pid) in (None, "Z") for pid in descendants(caller.pid)))
    before = Path(runtime.home.containers_db).read_bytes()
    ids = {container.id for container in runtime.ps()}
    died = die_at(strace, caller, Path(runtime.home.path).parent / "trace", CALLS[kind], number)
    settle(runtime)
    check(runtime, before, ids)
    after = runtime.run("demo", ["/bin/sh", "-c", "exit 4"])
    assert after.exit_code == 4 and after.id not in ids
    runtime.prune()
    assert runtime.ps() == []
    return died


@pytest.mark.parametrize("kind", CALLS)
@pytest.mark.parametrize("mode", MODES)
def test_death_at_the_first_calls_of_a_kind_leaves_every_other_record_intact(
    strace: str, runtime: Runtime, chroot_works: None, mode: str, kind: str
) -> None:
    killed = [survive(strace, runtime, mode, kind, number) for number in (1, 2)]
    assert any(killed)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("kind", CALLS)
@pytest.mark.parametrize("mode", MODES)
def test_death_at_every_point_leaves_every_other_record_intact(
    strace: str, runtime: Runtime, chroot_works: None, mode: str, kind: str
) -> None:
    quiet = killed = 0
    for number in range(1, 400):
        died = survive(strace, runtime, mode, kind, number)
        killed += died
        quiet = 0 if died else quiet + 1
        if quiet == 3:
            break
    assert killed, "nothing was killed"


def test_kills_at_random_instants_of_many_runs_leave_the_table_whole(runtime: Runtime, chroot_works: None) -> None:
    """No tracer: forty runs, each caller killed a little later than the one before."""
    runtime.run("demo", ["/bin/true"])
    before = Path(runtime.home.containers_db).read_bytes()
    for number in range(40):
        caller = subprocess.Popen([sys.executable, "-c", SCRIPT], stderr=subprocess.DEVNULL)
        time.sleep(0.04 + number * 0.0025)  # any moment of its run will do
        caller.send_signal(signal.SIGKILL)
        caller.wait()
    settle(runtime)
    found, corrupt = containers.read_all(runtime.home)
    assert corrupt == [] and Path(runtime.home.containers_db).read_bytes().startswith(before)
    numbers = [int(record.id[1:]) for record in found]
    assert numbers == sorted(set(numbers))
    assert all(record.end_time for record in found), "callers died, supervisors did not"


def test_launcher_killed_in_mid_run_is_an_error_and_the_next_run_works(runtime: Runtime, chroot_works: None) -> None:
    from udock_lab.errors import LauncherDied

    runtime.run("demo", ["/bin/true"])
    pid = runtime.launcher_pid
    assert pid is not None

    def kill_it() -> None:
        until(lambda: runtime.ps(running=True))
        os.kill(pid, signal.SIGKILL)

    killer = threading.Thread(target=kill_it)
    killer.start()
    with pytest.raises(LauncherDied):
        runtime.run("demo", ["/bin/sleep", "30"])
    killer.join()
    assert runtime.run("demo", ["/bin/sh", "-c", "exit 5"]).exit_code == 5
    assert "containers.db.tmp" not in os.listdir(runtime.home.path), "the end that it had drafted lies there no more"
    for container in runtime.ps(running=True):
        runtime.rm(container.id, force=True)


def test_forker_killed_in_mid_run_loses_no_record(runtime: Runtime, chroot_works: None) -> None:
    runtime.close()  # a launcher whose forker is alive
    result = runtime.run("demo", ["/bin/sh", "-c", f"{WAITS}; exit 6"], detach=True)
    forker = int(re.split(r"\s+", Path(f"/proc/{result.pid}/stat").read_text().rpartition(")")[2].strip())[1])
    assert forker != runtime.launcher_pid
    os.kill(forker, signal.SIGKILL)
    assert until(lambda: state(forker) in (None, "Z"))
    go_on(runtime)
    assert runtime.wait(result.id).exit_code == 6
    assert runtime.run("demo", ["/bin/sh", "-c", "exit 7"]).exit_code == 7


def test_launcher_goes_on_without_its_forker_and_spares_what_runs(runtime: Runtime, chroot_works: None) -> None:
    runtime.close()
    result = runtime.run("demo", ["/bin/sh", "-c", f"{WAITS}; exit 6"], detach=True)
    launcher = runtime.launcher_pid
    forker = int(re.split(r"\s+", Path(f"/proc/{result.pid}/stat").read_text().rpartition(")")[2].strip())[1])
    os.kill(forker, signal.SIGKILL)
    assert until(lambda: state(forker) in (None, "Z") and sleeps(launcher or 0))  # it has heard of that end
    left = "(setsid sleep 77.7 &) ; exit 7"
    assert [runtime.run("demo", ["/bin/sh", "-c", left]).exit_code for _ in range(3)] == [7, 7, 7]
    assert not [pid for pid in descendants(launcher or 0) if b"77.7" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    go_on(runtime)
    assert runtime.wait(result.id).exit_code == 6
    assert runtime.launcher_pid == launcher
    runtime.close()


@pytest.mark.parametrize("way", ["rm", "prune"])
def test_what_an_orphaned_container_left_running_ends_when_it_is_removed(
    runtime: Runtime, chroot_works: None, way: str
) -> None:
    runtime.close()
    result = runtime.run("demo", ["/bin/sh", "-c", "sleep 600 & (sleep 600; true) & wait"], detach=True)
    assert result.pid is not None and until(lambda: len(session_members(result.pid)) == 4)
    for pid in (*supervisors_of(runtime.launcher_pid or 0), result.pid):
        os.kill(pid, signal.SIGKILL)
    assert until(lambda: runtime.ps()[0].state == "exited (orphaned)")
    other = runtime.run("demo", ["/bin/sleep", "600"], detach=True)
    assert len(session_members(result.pid)) == 3
    if way == "rm":
        runtime.rm(result.id)
    else:
        assert runtime.prune() == [result.id]
    assert until(lambda: session_members(result.pid) == [])
    assert [container.id for container in runtime.ps(running=True)] == [other.id]
    runtime.kill(other.id)
    runtime.close()
