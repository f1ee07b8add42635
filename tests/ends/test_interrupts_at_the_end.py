"""Interrupts of a notebook that come as a cell's program ends: the cell tells how it ended, and never a death."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
from as_users import Mdock

jupyter_client = pytest.importorskip("jupyter_client")

PATIENCE = 60  # seconds for a kernel to answer, on a machine that does other things too


class Notebook:
    """A kernel as its user has it; cells are begun, interrupted and awaited."""

    def __init__(self, mdock: Mdock) -> None:
        self.manager = jupyter_client.KernelManager(kernel_name="python3")
        self.manager.start_kernel(env=mdock.environment)
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=PATIENCE)
        assert self.ends(self.begin("%load_ext udock_lab"))["status"] == "ok"

    def begin(self, cell: str, until: str = "") -> str:
        """The cell runs, and has said so."""
        cell_id = str(self.client.execute(cell, stop_on_error=False))  # else what follows at once is aborted
        said = ""
        while until not in said:
            message = self.client.get_iopub_msg(timeout=PATIENCE)
            if message["parent_header"].get("msg_id") == cell_id and message["msg_type"] == "stream":
                said += message["content"]["text"]
        return cell_id

    def interrupt(self) -> None:
        self.manager.signal_kernel(signal.SIGINT)

    def ends(self, cell_id: str) -> Any:
        while True:
            message = self.client.get_shell_msg(timeout=PATIENCE)
            if message["parent_header"].get("msg_id") == cell_id:
                return message["content"]

    def close(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)
        self.manager.cleanup_resources()


@pytest.fixture
def notebook(mdock: Mdock) -> Iterator[Notebook]:
    notebook = Notebook(mdock)
    yield notebook
    notebook.close()


def _second_interrupts(notebook: Notebook, chance: random.Random) -> str:
    """Two, of a program that ignores the first; what the cell said of it."""
    code = "trap '' INT; echo up; while :; do sleep 0.05; done"
    cell = notebook.begin(f'%mdock run --rm demo -- sh -c "{code}"', until="up")
    notebook.interrupt()
    time.sleep(chance.uniform(0.02, 0.1))
    notebook.interrupt()
    return _said(notebook.ends(cell))


def _said(reply: Any) -> str:
    """ok; or the error, without the number of the container."""
    return "ok" if reply["status"] == "ok" else reply["evalue"].partition("interrupted: ")[2]


def _killed_each_time(notebook: Notebook, times: int) -> None:
    said = [_second_interrupts(notebook, random.Random(number)) for number in range(times)]
    assert said == ["exit 137"] * times
    assert notebook.ends(notebook.begin("assert 1 + 1 == 2"))["status"] == "ok"


def test_second_interrupt_of_a_cell_tells_how_its_program_ended(notebook: Notebook, mdock: Mdock) -> None:
    _killed_each_time(notebook, 3)
    assert mdock.runtime.ps() == []


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_sixty_second_interrupts_tell_how_their_programs_ended(notebook: Notebook, mdock: Mdock) -> None:
    _killed_each_time(notebook, 60)
    assert mdock.runtime.ps() == []


# As a notebook does it, but where an interrupt that comes too late, when the run is over, meets nobody: ipykernel
# may lose a cell's answer then.
_SCRIPT = """
import os, random, signal, sys, threading, time
from udock_lab import Runtime, sandbox
from udock_lab.errors import Interrupted, SandboxInterrupted
signal.signal(signal.SIGINT, lambda *_: None)
runtime = Runtime()

def program(chance, up):
    code = f"trap '' INT; echo up; sleep {chance.uniform(0.02, 0.1):.3f}; exit 5"
    try:
        return runtime.run("demo", ["sh", "-c", code], remove=True, on_output=lambda *_: up.set()).exit_code
    except Interrupted as interrupt:
        return interrupt.message.rpartition(" ")[2]

def code(chance, up):
    source = f"import time; print(1, flush=True); time.sleep({chance.uniform(0, 0.1):.3f})"
    try:
        return sandbox.run(source, on_output=lambda _: up.set()).exit_status.code
    except SandboxInterrupted:
        return "interrupted"

def disturbed(scene, interrupts, chance):
    up = threading.Event()
    def disturb():
        up.wait()
        for _ in range(interrupts):
            time.sleep(chance.uniform(0, 0.06))
            os.kill(os.getpid(), signal.SIGINT)
    thread = threading.Thread(target=disturb)
    thread.start()
    try:
        return scene(chance, up)
    finally:
        thread.join()

times = int(sys.argv[1])
print({str(disturbed(program, 1, random.Random(number))) for number in range(times)} - {"5"})
print({str(disturbed(code, 3, random.Random(number))) for number in range(times)} - {"0", "interrupted"})
"""


def _told_truly(mdock: Mdock, times: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT, str(times)], env=mdock.environment, capture_output=True, text=True
    )
    assert (done.stdout, done.stderr) == ("set()\nset()\n", "")
    assert mdock.runtime.ps() == []


def test_interrupts_as_programs_and_sandboxes_end_tell_their_true_ends(mdock: Mdock) -> None:
    _told_truly(mdock, 4)


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_hundred_interrupts_as_programs_and_sandboxes_end_tell_their_true_ends(mdock: Mdock) -> None:
    _told_truly(mdock, 100)
