"""Whoever is killed while a child makes its steps before the gate: the run ends with words, and nothing is left.

Each run has a supervisor of its own here, with a step that waits, so that something can happen meanwhile.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from chrooting import needs_chroot
from sudden import CALLS, die_at
from waiting import until

from udock_lab import Runtime
from udock_lab.linux.process import descendants, lives
from udock_lab.runtime.state import containers

# argv: scenario, local or remote (which forker), the file whose appearance ends the wait, a program.
SCRIPT = """
import gc, os, signal, sys, time, weakref
gc.disable()  # as the launcher: what is not freed when the last name for it goes is never freed
from udock_lab.isolation.sequence import make_steps
from udock_lab.isolation.step import Step
from udock_lab.linux.prctl import PR_SET_CHILD_SUBREAPER, prctl
from udock_lab.linux.process import children, parent
from udock_lab.model import ContainerSpec
from udock_lab.model.value import replace
from udock_lab.runtime.child.forker import start_forker
from udock_lab.runtime.client.planning import run_request
from udock_lab.runtime.protocol import Signal, encode, from_supervisor
from udock_lab.runtime.state.home import Home
from udock_lab.runtime.state.images import find_image_by_name
from udock_lab.runtime.supervisor.job import Job
from udock_lab.runtime.supervisor.serve import Supervisor
from udock_lab.wire.framing import pair, receive

class Wait(Step):
    name, call, fields = "wait", "nanosleep", ("path",)
    def describe(self):
        return "wait"
    def apply(self, child):
        with open(self.path + ".first", "w") as file:
            file.write(f"{os.getpid()} {os.getppid()}")
        os.rename(self.path + ".first", self.path + ".pids")
        while not os.path.exists(self.path):
            time.sleep(0.002)

scenario, which, path, *argv = sys.argv[1:]
prctl(PR_SET_CHILD_SUBREAPER, 1)
home = Home()
spec = ContainerSpec(image="demo", argv=tuple(argv))
request = run_request(home, spec, find_image_by_name(home.images_db, "demo").rootfs).request
early = (("first_process",), ("wait", path))
request = replace(request, steps=(*early, *request.steps), before_gate=2)
ours, theirs = pair()
forker = start_forker() if which == "remote" else None
supervisor = Supervisor(None, prefork=False, forker=forker)
job = Job(supervisor, request, theirs)
held = weakref.ref(job)
job.start()
del job, theirs

def meanwhile():
    if not os.path.exists(path + ".pids"):
        supervisor.loop.later(0.005, meanwhile)
        return
    first, middle = map(int, open(path + ".pids").read().split())
    print("pids", os.getpid(), first, middle, *([forker.pid] if forker else []), flush=True)
    if scenario == "middle":
        os.kill(middle, signal.SIGKILL)
    elif scenario == "first":
        os.kill(first, signal.SIGKILL)
    elif scenario == "both":
        os.killpg(middle, signal.SIGKILL)
    elif scenario == "forker":
        os.kill(forker.pid, signal.SIGKILL)
    elif scenario == "interrupt":
        ours.send(encode(Signal(number=int(signal.SIGINT))))
    elif scenario == "caller":
        ours.close()
        return
    elif scenario == "sweep":
        for _ in range(3):
            supervisor.helpers.kill_leftovers()
    elif scenario == "launcher":
        os.kill(os.getpid(), signal.SIGKILL)
    if scenario != "interrupt":
        open(path, "w").close()

meanwhile()
supervisor.serve()
said = []
while scenario != "caller":
    data = receive(ours)[0]
    if not data:
        break
    said.append(from_supervisor(data))
for one in said:
    if type(one).__name__ == "Ended":
        print("ended", one.status, one.pid, one.after.exit_code, [report[:2] for report in one.reports], flush=True)
    elif type(one).__name__ == "Refused":
        print("refused", one.error, flush=True)
print("freed", held() is None, flush=True)
print("left", *[pid for pid in children(os.getpid()) if not forker or pid != forker.pid], flush=True)
"""


def happens(scenario: str, which: str, path: Path, *argv: str) -> tuple[dict[str, list[str]], int]:
    """What the script says, by its first words, and how it ended; afterwards none of its processes is there."""
    command = [sys.executable, "-c", SCRIPT, scenario, which, str(path), *argv]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    said = {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines()}
    assert "pids" in said, done.stderr
    path.touch()
    assert until(lambda: not any(lives(int(pid)) for pid in said["pids"])), "nobody is left"
    assert not done.stderr, done.stderr[-900:]
    assert said.get("freed", ["True"]) == ["True"], "a run that is over is held by nobody"
    return said, done.returncode


@pytest.fixture(params=["local", "remote"])
def which(request: pytest.FixtureRequest, runtime: Runtime) -> str:
    return str(request.param)


@pytest.mark.parametrize("scenario", ["nobody", "middle", "sweep"])
def test_the_run_goes_on_when_nobody_dies_that_is_to_be_the_program(which: str, tmp_path: Path, scenario: str) -> None:
    said, _ = happens(scenario, which, tmp_path / "go", "/bin/sh", "-c", "exit 3")
    status, pid, code = said["ended"][:3]
    assert (int(status), int(code)) == (3 << 8, 3)
    assert pid == said["pids"][1]
    assert said["left"] == []


def test_who_was_to_be_the_program_and_is_killed_before_makes_it_125(which: str, tmp_path: Path) -> None:
    said, _ = happens("first", which, tmp_path / "go", "/bin/true")
    status, pid, code = said["ended"][:3]
    assert (int(status), int(code)) == (125 << 8, 125)
    assert pid == said["pids"][2], "which is the child that has a status to tell"
    assert said["left"] == []


def test_when_both_are_killed_the_status_is_that_of_the_child(which: str, tmp_path: Path) -> None:
    said, _ = happens("both", which, tmp_path / "go", "/bin/true")
    assert int(said["ended"][0]) == signal.SIGKILL
    assert said["left"] == []


def test_an_interrupt_before_it_is_prepared_calls_the_run_off_and_no_record_is_made(
    which: str, runtime: Runtime, tmp_path: Path
) -> None:
    said, _ = happens("interrupt", which, tmp_path / "go", "/bin/true")
    assert said["refused"] == ["Interrupted"]
    assert runtime.ps() == []


def test_a_caller_who_goes_before_it_is_prepared_leaves_no_process_and_no_record(
    which: str, runtime: Runtime, tmp_path: Path
) -> None:
    happens("caller", which, tmp_path / "go", "/bin/true")
    assert runtime.ps() == []


def test_a_forker_that_is_killed_before_it_could_adopt_is_replaced(runtime: Runtime, tmp_path: Path) -> None:
    said, _ = happens("forker", "remote", tmp_path / "go", "/bin/sh", "-c", "exit 3")
    assert int(said["ended"][0]) == 3 << 8
    assert said["ended"][1] == said["pids"][1]
    assert said["left"] == []


def test_of_a_launcher_that_is_killed_before_nobody_is_left(which: str, runtime: Runtime, tmp_path: Path) -> None:
    _, code = happens("launcher", which, tmp_path / "go", "/bin/sleep", "60")
    assert code == -signal.SIGKILL
    assert runtime.ps() == []


# --- at any system call, of whichever process makes it

WAITING = """
import sys
sys.path.insert(0, sys.argv[2])
from planned import SHELL, TWICE, execute
from udock_lab import Runtime
from udock_lab.isolation.wanted import Wanted
from udock_lab.runtime.client.connection import ForkedSupervisor, the_launcher
runtime, connection = Runtime(), ForkedSupervisor() if sys.argv[1] == "forked" else the_launcher()
execute(runtime, Wanted(), "/bin/true", connection=connection, before=TWICE)
print("ready", flush=True)
sys.stdin.readline()
execute(runtime, Wanted(), SHELL, "-c", "echo x; exit 3", connection=connection, before=TWICE)
"""
TESTS = str(Path(__file__).parents[1])


@needs_chroot
@pytest.mark.parametrize("kind", ["fork", "send", "receive", "write", "exit", "end"])
@pytest.mark.parametrize("mode", ["forked", "launcher"])
def test_sigkill_at_a_call_of_a_run_that_forks_twice_leaves_a_table_that_parses_and_nobody(
    runtime: Runtime, tmp_path: Path, mode: str, kind: str
) -> None:
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("needs privilege: strace is missing")
    killed = []
    for number in (1, 2):
        command = [sys.executable, "-c", WAITING, mode, TESTS]
        pipe = subprocess.PIPE
        with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True) as caller:
            assert caller.stdout is not None and caller.stdout.readline() == "ready\n"
            there = [caller.pid, *descendants(caller.pid)]
            killed.append(die_at(strace, caller, tmp_path / "trace", CALLS[kind], number))
        assert until(lambda: not any(container.alive for container in runtime.ps()))
        assert until(lambda: not any(lives(pid) for pid in there)), "a launcher without containers ends, too"  # noqa: B023
        found, corrupt = containers.read_all(runtime.home)
        assert corrupt == [] and found[0].exit_code == 0
        assert runtime.run("demo", ["/bin/sh", "-c", "exit 4"]).exit_code == 4
    assert any(killed)
