"""The walk of one argument, from the caller to execve, and of the record on its way back: written once at each border."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from udock_lab import Runtime
from udock_lab.model import ContainerSpec
from udock_lab.runtime.child.plan import Plan
from udock_lab.runtime.client.planning import run_request
from udock_lab.runtime.protocol import RunRequest, encode, request_of
from udock_lab.runtime.state.home import Home

ARGUMENT = "walks-from-cell-to-exec"
SCRIPT = f"from udock_lab import Runtime; print(Runtime().run('demo', ['/bin/true', '{ARGUMENT}']).after)"


def test_what_the_launcher_is_sent_holds_an_argument_once_and_so_does_what_it_sends_the_child() -> None:
    spec = ContainerSpec(image="demo", argv=("/bin/echo", ARGUMENT), env=(("NAME", "value-of-it"),))
    request = run_request(Home("/home"), spec, "/root-of-image").request
    arrived = request_of(encode(request))
    assert isinstance(arrived, RunRequest)
    for text in (ARGUMENT.encode(), b"value-of-it"):
        assert encode(request).count(text) == 1
        assert arrived.plan.count(text) == 1
    assert Plan.unpack(arrived.plan).argv == spec.argv


@pytest.fixture
def calls(runtime: Runtime, tmp_path: Path) -> list[str]:
    """What a run by way of a launcher sends, executes and writes, one system call a line (strace(1))."""
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("needs privilege: strace is missing")
    trace = tmp_path / "trace"
    command = [strace, "-f", "-q", "-s", "65536", "-o", str(trace), "-e", "trace=sendto,sendmsg,execve,write"]
    done = subprocess.run([*command, sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=60)
    if "ptrace" in done.stderr.lower():
        pytest.skip(f"needs privilege: {done.stderr.splitlines()[0]}")
    assert done.stdout.startswith("Record("), done.stderr
    return trace.read_text(errors="replace").splitlines()


def made(calls: list[str], text: str) -> list[tuple[str, str]]:
    """Process and call of each line that holds the text."""
    found = [re.match(r"(\d+) +(\w+)\(", line) for line in calls if text in line]
    return [match.group(1, 2) for match in found if match is not None]


def test_an_argument_crosses_each_border_between_processes_once(calls: list[str]) -> None:
    walk = [(pid, call) for pid, call in made(calls, ARGUMENT) if call != "write"]
    kernel, launcher = calls[0].split()[0], walk[-2][0]
    child = walk[-1][0]
    assert len({kernel, launcher, child}) == 3
    assert walk[-3:] == [(kernel, "sendmsg"), (launcher, "sendto"), (child, "execve")]
    assert walk[:-3] == [(kernel, "execve")], "which is the program of this test: its text holds the argument"


def test_the_record_comes_back_in_one_message(calls: list[str]) -> None:
    told = [(pid, call) for pid, call in made(calls, "start_time") if call != "write"]
    assert len(told) == 1
