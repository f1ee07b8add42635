"""Supervisors killed between two steps, programs that end while somebody is about to end them: nothing runs on.

strace(1) stops a process at the entry of the one call that matters; what is to happen meanwhile happens then.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from waiting import until

from udock_lab import Runtime
from udock_lab.linux.process import lives, parent, session_members, state

MDOCK = [sys.executable, "-m", "udock_lab.cli"]
LEAVES = ["/bin/sh", "-c", "sleep 611 & exit 3"]
LEAVES_LATER = ["/bin/sh", "-c", "sleep 611 & sleep 612 & echo $$; exec sleep 613"]
REMOVALS: dict[str, Callable[[Runtime, str], object]] = {
    "rm": lambda runtime, name: runtime.rm(name),
    "prune": lambda runtime, _: runtime.prune(),
}


class Stopped:
    """``mdock`` under strace, which stops whoever is first to make that call, about that path, when it is made."""

    def __init__(self, strace: str, trace: Path, call: str, path: str | Path | None, *words: str) -> None:
        about = ["-P", str(path)] if path is not None else []
        stop = ["-e", f"trace={call}", "-e", f"inject={call}:signal=SIGSTOP:when=1"]
        # -I2: though it writes to a file, it may be told to end; it would follow what is left to its end.
        command = [strace, "-f", "-q", "-I2", "-o", str(trace), *about, *stop, *MDOCK, *words]
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.strace = subprocess.Popen(command, **quiet)
        assert until(lambda: trace.exists() and "stopped by SIGSTOP" in trace.read_text()), "nobody made that call"
        [self.pid] = re.findall(r"^(\d+) +--- stopped by SIGSTOP", trace.read_text(), re.M)

    def kill(self) -> None:
        """Kill it there and then."""
        os.kill(int(self.pid), signal.SIGKILL)

    def go_on(self) -> int:
        """Let it go on; the exit code of ``mdock``."""
        os.kill(int(self.pid), signal.SIGCONT)
        return self.strace.wait(30)

    def let_go(self) -> None:
        """Trace nothing any more."""
        self.strace.terminate()
        self.strace.wait(30)


@pytest.fixture
def sessions() -> Iterator[list[int]]:
    """Sessions of which nothing is left after the test, whatever came of it."""
    numbers: list[int] = []
    yield numbers
    for pid in (member for number in numbers for member in session_members(number)):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def started(sessions: list[int], *words: str) -> int:
    """A program with children whose supervisor is killed: ``mdock run`` or ``exec`` of LEAVES_LATER; its pid."""
    with subprocess.Popen([*MDOCK, *words, *LEAVES_LATER], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as client:
        assert client.stdout is not None
        program = int(client.stdout.readline())
        sessions.append(program)
        assert until(lambda: len(session_members(program)) == 3)
        supervisor = parent(program)
        assert supervisor is not None and supervisor != client.pid
        os.kill(supervisor, signal.SIGKILL)
        client.communicate()
    return program


@pytest.mark.parametrize("removal", REMOVALS)
@pytest.mark.parametrize(
    ("call", "name", "flags"),
    [("mkdir", "", []), ("openat", "spec.json", []), ("openat", "spec.json", ["--copy"])],
    ids=["before its spec", "amid its spec", "amid that of a private copy"],
)
def test_supervisor_killed_after_the_gate_opened_and_before_the_spec_is_written_leaves_nothing_that_runs(
    strace: str,
    runtime: Runtime,
    chroot_works: None,
    tmp_path: Path,
    sessions: list[int],
    call: str,
    name: str,
    flags: list[str],
    removal: str,
) -> None:
    about = Path(runtime.home.container_dir("c1"), name)
    supervisor = Stopped(strace, tmp_path / "trace", call, about, "run", "-d", *flags, "demo", *LEAVES)
    [record] = runtime.records()
    sessions.append(record.pid)
    assert until(lambda: not lives(record.pid)) and len(session_members(record.pid)) == 1
    supervisor.kill()
    supervisor.let_go()
    spec = Path(runtime.home.container_dir("c1"), "spec.json")
    assert not spec.exists() or spec.read_bytes() == b""
    assert runtime.ps()[0].state == "exited (orphaned)"
    REMOVALS[removal](runtime, "c1")
    assert runtime.ps() == []
    assert until(lambda: session_members(record.pid) == [], 2)


@pytest.mark.parametrize("words", [["kill"], ["stop"], ["rm", "-f"]], ids=" ".join)
def test_container_that_ends_by_itself_while_it_is_being_ended_leaves_nothing_that_runs(
    strace: str, runtime: Runtime, chroot_works: None, tmp_path: Path, sessions: list[int], words: list[str]
) -> None:
    program = started(sessions, "run", "demo")
    # Whoever ends it has seen that it lives, and is about to look what is below it.
    mdock = Stopped(strace, tmp_path / "trace", "openat", f"/proc/{program}/task", *words, "c1")
    os.kill(program, signal.SIGKILL)
    assert until(lambda: state(program) is None) and len(session_members(program)) == 2
    assert mdock.go_on() == 0
    assert until(lambda: session_members(program) == [], 2)


@pytest.mark.parametrize("call", ["pidfd_open", "pidfd_send_signal"])
def test_program_of_exec_that_ends_by_itself_while_it_is_being_ended_leaves_nothing_that_runs(
    strace: str, runtime: Runtime, chroot_works: None, tmp_path: Path, sessions: list[int], call: str
) -> None:
    first = started(sessions, "run", "demo")
    program = started(sessions, "exec", "c1")
    os.kill(first, signal.SIGKILL)
    assert until(lambda: runtime.ps()[0].state == "exited (orphaned)")
    mdock = Stopped(strace, tmp_path / "trace", call, None, "prune")
    os.kill(program, signal.SIGKILL)
    assert until(lambda: state(program) is None) and len(session_members(program)) == 2
    assert mdock.go_on() == 0
    assert runtime.ps() == []
    assert until(lambda: session_members(program) == [], 2)


def test_session_that_has_the_number_of_an_orphan_and_is_not_in_the_home_is_left_alone(
    runtime: Runtime, sessions: list[int]
) -> None:
    runtime.run("demo", ["/bin/true"])
    with subprocess.Popen(["sh", "-c", "sleep 614 & exit 0"], start_new_session=True) as stranger:
        stranger.wait()
    sessions.append(stranger.pid)
    with open(runtime.home.containers_db, "a") as table:
        table.write(f"c7|{stranger.pid}|demo|running|2026-01-02T03:04:05||\n")
    assert runtime.ps()[1].state == "exited (orphaned)"
    assert "c7" in runtime.prune()
    assert len(session_members(stranger.pid)) == 1
