"""On the command line: a program that stops its supervisor (kill -STOP $PPID) holds nobody for ever."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import signal
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest
from waiting import has_taken, until, watches

from udock_lab.linux.process import parent, state

MDOCK = [sys.executable, "-m", "udock_lab"]
STOPS = "kill -STOP $PPID; exec sleep 60"
WAITS = "until test -e /tmp/go; do sleep 0.02; done"


class User:
    """Somebody with a home of their own, and nothing of mdock's in the environment."""

    def __init__(self, home: Path) -> None:
        home.mkdir()
        self.env = {name: value for name, value in os.environ.items() if not name.startswith("MDOCK")}
        self.env["HOME"] = str(home)
        self.table = home / ".mdock/containers.db"
        self.tmp = home / ".mdock/images/demo/rootfs/tmp"

    def mdock(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*MDOCK, *words], env=self.env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60
        )

    def start(self, *words: str, **files: int) -> subprocess.Popen[str]:
        files = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | files
        return subprocess.Popen([*MDOCK, *words], env=self.env, text=True, **files)  # type: ignore[call-overload]

    def lets_go(self) -> None:
        """What WAITS in the image demo goes on."""
        self.tmp.mkdir(exist_ok=True)
        (self.tmp / "go").touch()

    def record(self, container: str) -> list[str]:
        lines = self.table.read_text().splitlines() if self.table.exists() else []
        return next((line.split("|") for line in lines if line.startswith(f"{container}|")), [])

    def supervisor(self, container: str) -> int:
        """The stopped parent of a container that runs."""
        assert until(lambda: self.record(container))
        pid = int(self.record(container)[1])
        assert until(lambda: state(parent(pid) or 0) == "T")
        return parent(pid) or 0


def has_ended(pid: int) -> bool:
    return state(pid) in (None, "Z")


@pytest.fixture
def user(tmp_path: Path) -> Iterator[User]:
    user = User(tmp_path / "home of a user")
    assert user.mdock("demo").returncode == 0
    yield user
    for line in user.mdock("ps").stdout.splitlines()[1:]:
        user.mdock("rm", "-f", line.split()[0])


def insist(process: subprocess.Popen[str], number: int, times: int = 3) -> None:
    for _ in range(times):
        process.send_signal(number)
        assert until(lambda: has_taken(process.pid, number))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_third_signal_lets_go_names_who_is_stopped_and_what_continues_it(user: User, number: int) -> None:
    run = user.start("run", "demo", "sh", "-c", STOPS)
    supervisor = user.supervisor("c1")
    insist(run, number)
    _, said = run.communicate(timeout=30)
    assert run.returncode == 130
    assert re.search(
        rf"^\[mdock\] (c1|The container) is let go: process {supervisor}, which .* is stopped\.$", said, re.M
    )
    assert f"kill -CONT {supervisor} " in said and "Traceback" not in said
    assert state(supervisor) == "T", "it is the user's to continue"
    os.kill(supervisor, signal.SIGCONT)
    assert until(lambda: user.record("c1")[3] != "running") and until(lambda: has_ended(supervisor))


def test_two_signals_and_a_supervisor_that_is_continued_end_as_ever(user: User) -> None:
    run = user.start("run", "demo", "sh", "-c", STOPS)
    supervisor = user.supervisor("c1")
    insist(run, signal.SIGINT, times=2)
    os.kill(supervisor, signal.SIGCONT)
    assert run.wait(30) in (130, 137)
    assert user.record("c1")[6] == str(run.returncode)


def test_ctrl_c_typed_three_times_at_a_terminal_lets_go_and_leaves_it_cooked(user: User) -> None:
    ours, theirs = pty.openpty()
    before = termios.tcgetattr(theirs)[3]
    run = user.start("run", "-it", "demo", "sh", "-c", f"{WAITS}; {STOPS}", stdin=theirs, stdout=theirs, stderr=theirs)
    assert until(lambda: not termios.tcgetattr(theirs)[3] & termios.ICANON)  # until then a ^C is the terminal's
    user.lets_go()
    supervisor = user.supervisor("c1")
    for _ in range(3):
        os.write(ours, b"\x03")
    assert run.wait(30) == 130
    assert termios.tcgetattr(theirs)[3] == before
    assert f"kill -CONT {supervisor} ".encode() in os.read(ours, 1 << 16)
    os.close(theirs)
    os.close(ours)
    os.kill(supervisor, signal.SIGCONT)
    assert until(lambda: has_ended(supervisor))


def test_ctrl_c_typed_often_into_a_program_that_reads_it_is_the_programs(user: User) -> None:
    ours, theirs = pty.openpty()
    words = "n=0; trap 'echo caught$((n+=1))' INT; echo ready; while [ $n -lt 5 ]; do sleep 0.05; done; exit 4"
    run = user.start("run", "-it", "demo", "sh", "-c", words, stdin=theirs, stdout=theirs, stderr=theirs)
    said = b""
    for word in ("ready", "caught1", "caught2", "caught3", "caught4", "caught5"):
        while word.encode() not in said:
            said += os.read(ours, 4096)
        if word != "caught5":
            os.write(ours, b"\x03")
    assert run.wait(60) == 4
    os.close(theirs)
    os.close(ours)


def test_exec_is_let_go_and_its_container_goes_on(user: User) -> None:
    assert user.mdock("run", "-d", "demo", "sleep", "60").stdout == "c1\n"
    run = user.start("exec", "c1", "sh", "-c", STOPS)
    supervisors: list[int] = []

    def found() -> bool:
        text = subprocess.run(["ps", "-o", "pid=", "--ppid", str(run.pid)], capture_output=True, text=True).stdout
        supervisors[:] = [int(word) for word in text.split() if state(int(word)) == "T"]
        return bool(supervisors)

    assert until(found)
    insist(run, signal.SIGINT)
    _, said = run.communicate(timeout=30)
    assert run.returncode == 130 and f"exec in c1 is let go: process {supervisors[0]}, " in said
    os.kill(supervisors[0], signal.SIGCONT)
    assert until(lambda: has_ended(supervisors[0]))
    assert user.record("c1")[3] == "running"


@pytest.mark.parametrize("words", [["stop", "c1"], ["kill", "c1"], ["rm", "-f", "c1"]])
def test_who_ends_a_container_continues_its_stopped_supervisor_which_records_the_true_end(
    user: User, words: list[str]
) -> None:
    user.mdock("run", "-d", "demo", "sh", "-c", f"trap 'exit 6' TERM; {WAITS}; kill -STOP $PPID; sleep 60 & wait")
    user.lets_go()
    supervisor = user.supervisor("c1")
    done = user.mdock(*words)
    assert done.returncode == 0, done.stderr
    assert until(lambda: has_ended(supervisor))
    if words[0] != "rm":
        assert user.record("c1")[6] == {"stop": "6", "kill": "137"}[words[0]]


def test_wait_for_a_container_that_ended_under_a_stopped_supervisor_says_what_to_type(user: User) -> None:
    user.mdock("run", "-d", "demo", "sh", "-c", f"{WAITS}; kill -STOP $PPID; exit 8")
    user.lets_go()
    done = user.mdock("wait", "c1")
    assert done.returncode == 1 and "orphaned" not in done.stderr
    found = re.search(r"process (\d+), which supervises it, is stopped", done.stderr)
    assert found and f"kill -CONT {found[1]} " in done.stderr
    os.kill(int(found[1]), signal.SIGCONT)
    assert user.mdock("wait", "c1").stdout == "8\n"


def test_ctrl_c_frees_wait_and_stop(user: User) -> None:
    deaf = f"trap '' TERM; {WAITS}; kill -STOP $PPID; while :; do sleep 1; done"
    user.mdock("run", "-d", "demo", "sh", "-c", deaf)
    user.lets_go()
    supervisor = user.supervisor("c1")
    for words in (["wait", "c1"], ["stop", "-t", "100", "c1"]):
        process = user.start(*words)
        assert until(lambda: watches(process.pid, int(user.record("c1")[1])))  # noqa: B023
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
    os.kill(supervisor, signal.SIGCONT)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_pipe_that_nobody_reads_does_not_hold_who_insists(user: User, number: int) -> None:
    ours, theirs = os.pipe()
    run = user.start("run", "demo", "yes", stdout=theirs)
    os.close(theirs)
    held = bytearray(4)
    assert until(lambda: fcntl.ioctl(ours, termios.FIONREAD, held) == 0 and int.from_bytes(held, "little") > 60_000)

    def has_gone() -> bool:
        run.send_signal(number)
        return until(lambda: run.poll() is not None, 0.3)

    assert until(has_gone)
    assert run.returncode == 128 + number
    assert until(lambda: user.record("c1")[3] == "exited")
    os.close(ours)


def test_a_slow_reader_gets_all_that_a_program_says_after_an_interrupt(user: User) -> None:
    """More than the caller's pipe holds, but no more than what lies on the way: `head` must not be at work when the signal comes."""
    script = "trap 'echo bye; exit 6' INT; head -c 200000 /dev/zero; echo done >&2; while :; do sleep 0.1; done"
    run = user.start("run", "demo", "sh", "-c", script)
    log = user.table.with_name("logs") / "c1.log"
    assert until(lambda: log.exists() and log.read_bytes().endswith(b"done\n"))
    run.send_signal(signal.SIGINT)
    assert until(lambda: log.read_bytes().endswith(b"bye\n"))
    assert until(lambda: user.record("c1")[3] == "exited")  # the reader is slow: it all lies unread after the end
    out, _ = run.communicate(timeout=30)
    assert (run.returncode, len(out), out[-4:]) == (6, 200_004, "bye\n")
