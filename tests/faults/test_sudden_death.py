"""SIGKILL at any instant: every other record stays, the table parses, the next run works.

The kernel does the killing: strace injects SIGKILL at the entry of the n-th call of a kind, in whichever
process of the run makes it (caller, supervisor or child).
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from udock_lab import Runtime
from udock_lab.runtime import containers
from udock_lab.runtime.records import locked

CALLS = {
    "write": "write",
    "pwrite": "pwrite64",
    "rename": "rename,renameat,renameat2",
    "fork": "clone,clone3,fork,vfork",
    "lock": "flock",
    "copy": "copy_file_range,fallocate",
    "send": "sendto,sendmsg",
    "receive": "recvmsg,recvfrom",
    "open": "openat",
    "close": "close",
    "exec": "execve",
    "exit": "exit_group",
    "end": "wait4,waitid,kill,pidfd_send_signal",
}
SCRIPT = "from udock_lab import Runtime; Runtime(forked=True).run('demo', ['/bin/sh', '-c', 'echo x; exit 3'])"
QUICK = [("write", n) for n in range(1, 7)] + [
    ("pwrite", 1), ("pwrite", 2), ("rename", 1), ("fork", 1), ("fork", 2), ("lock", 1), ("lock", 2),
    ("copy", 1), ("copy", 2), ("send", 1), ("send", 2), ("receive", 1), ("end", 1),
]  # fmt: skip


@pytest.fixture
def strace() -> str:
    path = shutil.which("strace")
    if path is None:
        pytest.skip("needs privilege: strace is missing")
    probe = subprocess.run([path, "-f", "-o", "/dev/null", "/bin/true"], capture_output=True, text=True)
    if probe.returncode:
        pytest.skip(f"needs privilege: ptrace is refused: {probe.stderr.strip()[:100]}")
    return path


def die_at(strace: str, runtime: Runtime, kind: str, number: int) -> bool:
    """One run with SIGKILL at that point; did anything die of it?"""
    trace = Path(runtime.home.path).parent / "trace"
    command = [strace, "-f", "--seccomp-bpf", "-q", "-o", str(trace), "-e", f"trace={CALLS[kind]}"]
    command += ["-e", f"inject={CALLS[kind]}:signal=SIGKILL:when={number}"]
    subprocess.run([*command, sys.executable, "-c", SCRIPT], stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    return "killed by SIGKILL" in trace.read_text(errors="replace")


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


def settle(runtime: Runtime) -> None:
    """What lost its supervisor ends by itself; then the records may be looked at."""
    deadline = time.monotonic() + 8
    while time.monotonic() < deadline:
        if not any(container.alive for container in runtime.ps()):
            return
        time.sleep(0.02)
    raise AssertionError([container for container in runtime.ps() if container.alive])


def survive(strace: str, runtime: Runtime, kind: str, number: int) -> bool:
    runtime.run("demo", ["/bin/true"])
    settle(runtime)
    before = Path(runtime.home.containers_db).read_bytes()
    ids = {container.id for container in runtime.ps()}
    died = die_at(strace, runtime, kind, number)
    settle(runtime)
    check(runtime, before, ids)
    after = runtime.run("demo", ["/bin/sh", "-c", "exit 4"])
    assert after.exit_code == 4 and after.id not in ids
    runtime.prune()
    assert runtime.ps() == []
    return died


@pytest.mark.parametrize(("kind", "number"), QUICK)
def test_death_at_one_point_leaves_every_other_record_intact(
    strace: str, runtime: Runtime, as_root: None, kind: str, number: int
) -> None:
    survive(strace, runtime, kind, number)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("kind", CALLS)
def test_death_at_every_point_leaves_every_other_record_intact(
    strace: str, runtime: Runtime, as_root: None, kind: str
) -> None:
    quiet = 0
    for number in range(1, 400):
        quiet = 0 if survive(strace, runtime, kind, number) else quiet + 1
        if quiet == 3:
            return


def test_kills_at_random_instants_of_many_runs_leave_the_table_whole(runtime: Runtime, as_root: None) -> None:
    """No tracer: forty runs, each caller killed a little later than the one before."""
    runtime.run("demo", ["/bin/true"])
    before = Path(runtime.home.containers_db).read_bytes()
    for number in range(40):
        caller = subprocess.Popen([sys.executable, "-c", SCRIPT], stderr=subprocess.DEVNULL)
        time.sleep(0.04 + number * 0.0025)
        caller.send_signal(signal.SIGKILL)
        caller.wait()
    settle(runtime)
    found, corrupt = containers.read_all(runtime.home)
    assert corrupt == [] and Path(runtime.home.containers_db).read_bytes().startswith(before)
    numbers = [int(record.id[1:]) for record in found]
    assert numbers == sorted(set(numbers))
    assert all(record.end_time for record in found), "callers died, supervisors did not"


def test_launcher_killed_in_mid_run_is_an_error_and_the_next_run_works(runtime: Runtime, as_root: None) -> None:
    import threading

    from udock_lab.errors import LauncherDied

    runtime.run("demo", ["/bin/true"])
    pid = runtime.launcher_pid
    assert pid is not None
    timer = threading.Timer(0.3, os.kill, (pid, signal.SIGKILL))
    timer.start()
    with pytest.raises(LauncherDied):
        runtime.run("demo", ["/bin/sleep", "30"])
    timer.join()
    assert runtime.run("demo", ["/bin/sh", "-c", "exit 5"]).exit_code == 5
    for container in runtime.ps(running=True):
        runtime.rm(container.id, force=True)


def test_forker_killed_in_mid_run_loses_no_record(runtime: Runtime, as_root: None) -> None:
    result = runtime.run("demo", ["/bin/sh", "-c", "sleep 0.6; exit 6"], detach=True)
    forker = int(re.split(r"\s+", Path(f"/proc/{result.pid}/stat").read_text().rpartition(")")[2].strip())[1])
    assert forker != runtime.launcher_pid
    os.kill(forker, signal.SIGKILL)
    assert runtime.wait(result.id).exit_code == 6
    assert runtime.run("demo", ["/bin/sh", "-c", "exit 7"]).exit_code == 7
