"""A request that a dying launcher never took is asked once more; one that it took is never run a second time."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from waiting import in_a_loop, until

from udock_lab import Runtime
from udock_lab.linux.process import state

pytestmark = pytest.mark.usefixtures("chroot_works")

LEAVES_A_LINE = "echo here >> /tmp/lines"
# A notebook kernel in small: it says its launcher's pid, and runs once for each line that it is told.
CALLER = f"""
import sys
from udock_lab import LauncherDied, Runtime
runtime = Runtime()
runtime.run("demo", ["/bin/true"])
print(runtime.launcher_pid, flush=True)
for line in sys.stdin:
    try:
        print(runtime.run("demo", ["/bin/sh", "-c", "{LEAVES_A_LINE}; exit 6"]).exit_code, flush=True)
    except LauncherDied as error:
        print("LauncherDied", error.hint, flush=True)
"""


class Lines:
    """What the programs in the image demo left behind."""

    def __init__(self, runtime: Runtime) -> None:
        folder = Path(runtime.home.image_rootfs("demo"), "tmp")
        folder.mkdir(exist_ok=True)
        self.path = folder / "lines"

    def take(self) -> int:
        found = len(self.path.read_text().splitlines()) if self.path.exists() else 0
        self.path.unlink(missing_ok=True)
        return found


@pytest.fixture
def lines(runtime: Runtime) -> Lines:
    return Lines(runtime)


def stopped_launcher(runtime: Runtime) -> int:
    """A launcher that takes nothing: what it is asked waits in its socket."""
    runtime.run("demo", ["/bin/true"])
    pid = runtime.launcher_pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    assert until(lambda: state(pid) == "T")
    return pid


def killed_with_the_request_unread(launcher: int) -> threading.Thread:
    def kill() -> None:
        time.sleep(0.3)  # the request is sent within milliseconds; should it come later, it goes to another launcher
        os.kill(launcher, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    return killer


@pytest.mark.parametrize("detach", [False, True])
def test_request_that_was_never_read_is_done_by_the_next_launcher_exactly_once(
    runtime: Runtime, lines: Lines, detach: bool
) -> None:
    launcher = stopped_launcher(runtime)
    killer = killed_with_the_request_unread(launcher)
    result = runtime.run("demo", ["/bin/sh", "-c", f"{LEAVES_A_LINE}; exit 6"], detach=detach)
    killer.join()
    assert runtime.launcher_pid != launcher
    assert (runtime.wait(result.id).exit_code if detach else result.exit_code) == 6
    assert lines.take() == 1
    assert [container.id for container in runtime.ps()] == ["c1", "c2"]


def test_standard_input_goes_along_the_second_time(runtime: Runtime) -> None:
    killer = killed_with_the_request_unread(stopped_launcher(runtime))
    result = runtime.run("demo", ["/bin/cat"], stdin="as it was said\n")
    killer.join()
    assert result.stdout == b"as it was said\n"


def test_exec_that_was_never_read_is_done_by_the_next_launcher(runtime: Runtime, lines: Lines) -> None:
    runtime.run("demo", ["/bin/sleep", "60"], detach=True)
    launcher = runtime.launcher_pid
    assert launcher is not None
    os.kill(launcher, signal.SIGSTOP)
    killer = killed_with_the_request_unread(launcher)
    assert runtime.exec("c1", ["/bin/sh", "-c", f"{LEAVES_A_LINE}; exit 6"]).exit_code == 6
    killer.join()
    assert lines.take() == 1


def test_sandbox_that_was_never_asked_for_is_started_by_the_next_launcher(runtime: Runtime, tmp_path: Path) -> None:
    from udock_lab import sandbox

    killer = killed_with_the_request_unread(stopped_launcher(runtime))
    result = sandbox.run("open('lines', 'a').write('here\\n'); print(6 * 7)", cwd=tmp_path)
    killer.join()
    assert result.stdout == "42\n" and (tmp_path / "lines").read_text() == "here\n"


def test_probe_that_was_never_read_is_made_by_the_next_launcher(runtime: Runtime) -> None:
    killer = killed_with_the_request_unread(stopped_launcher(runtime))
    assert runtime.doctor().features
    killer.join()


def strace() -> str:
    path = shutil.which("strace")
    if path is None:
        pytest.skip("needs privilege: strace is missing")
    return path


def run_with_death_at(call: str, number: int, trace: Path) -> tuple[str, bool]:
    """One more run of a caller whose launcher dies at that call; what the caller says, and whether one died."""
    caller = subprocess.Popen([sys.executable, "-c", CALLER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert caller.stdout is not None and caller.stdin is not None
    launcher = int(caller.stdout.readline())
    command = [strace(), "-q", "-o", str(trace), "-e", f"trace={call}", "-p", str(launcher)]
    tracer = subprocess.Popen([*command, "-e", f"inject={call}:signal=SIGKILL:when={number}"], stderr=subprocess.PIPE)
    status = Path(f"/proc/{launcher}/status")
    assert until(lambda: state(launcher) == "Z" or "TracerPid:\t0\n" not in status.read_text())
    said, _ = caller.communicate("go\n", timeout=60)
    tracer.communicate(timeout=60)
    return said, "killed by SIGKILL" in trace.read_text(errors="replace")


CALLS = ["epoll_wait", "recvmsg", "sendto", "sendmsg", "flock", "write", "rename", "close"]


def die_at_each(runtime: Runtime, lines: Lines, trace: Path, call: str, numbers: range) -> None:
    """strace kills at the entry of a call: the launcher's moments between a request and its answer, one by one."""
    for number in numbers:
        said, died = run_with_death_at(call, number, trace)
        outcome, *_ = said.split()
        if outcome == "6":
            assert lines.take() == 1, (call, number)
        else:
            assert died and outcome == "LauncherDied" and "mdock ps" in said
            assert until(lambda: not any(container.alive for container in runtime.ps()))
            assert lines.take() <= 1, (call, number)
        if not died:
            break


@pytest.mark.parametrize("call", CALLS)
def test_launcher_killed_at_a_moment_of_a_run_runs_the_program_once_or_says_so(
    runtime: Runtime, lines: Lines, tmp_path: Path, call: str
) -> None:
    die_at_each(runtime, lines, tmp_path / "trace", call, range(1, 4))


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("call", CALLS)
def test_launcher_killed_at_any_moment_of_a_run_runs_the_program_once_or_says_so(
    runtime: Runtime, lines: Lines, tmp_path: Path, call: str
) -> None:
    die_at_each(runtime, lines, tmp_path / "trace", call, range(1, 200))


def test_started_run_that_was_never_read_is_followed_at_the_next_launcher_with_what_was_typed(
    runtime: Runtime, lines: Lines
) -> None:
    async def program() -> tuple[int | None, bytes]:
        script = f"{LEAVES_A_LINE}; read line; echo got $line; exit 6"
        started = runtime.start("demo", ["/bin/sh", "-c", script], interactive=True)
        started.type("on\n")
        result = await asyncio.wait_for(started, 60)
        return result.exit_code, result.stdout

    killer = killed_with_the_request_unread(stopped_launcher(runtime))
    assert in_a_loop(program()) == (6, b"got on\n")
    killer.join()
    assert lines.take() == 1
