"""Snapshots of a real process: taken only where asked for, at moments that the process waits for."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import pytest
from waiting import until

from udock_lab import Runtime
from udock_lab.display.text.tree import tree_text
from udock_lab.linux.process import children

pytestmark = pytest.mark.usefixtures("chroot_works")


@pytest.mark.parametrize("spare", [True, False])
def test_root_and_working_directory_change_between_the_gate_and_exec(runtime: Runtime, spare: bool) -> None:
    result = runtime.run("demo", ["/bin/sh", "-c", "exit 3"], snapshots=True, spare=spare)
    before, after = result.snapshots
    rootfs = os.path.join(runtime.home.path, "images", "demo", "rootfs")
    assert result.exit_code == 3
    assert (before.moment, before.root) == ("at the gate", "/")
    assert (after.moment, after.root, after.cwd) == ("before exec", os.path.realpath(rootfs), os.path.realpath(rootfs))
    assert before.pid == after.pid == before.session == before.group == result.pid
    assert before.parent == after.parent
    assert after.next_environment == ("HOME", "PATH", "TERM")


def test_limits_appear_at_the_second_look(runtime: Runtime) -> None:
    before, after = runtime.run("demo", ["/bin/true"], snapshots=True, files=33).snapshots
    limits = [{name: soft for name, soft, _ in snapshot.limits}["Max open files"] for snapshot in (before, after)]
    assert limits[0] != "33"
    assert limits[1] == "33"


def test_nothing_is_looked_at_and_nobody_waits_where_it_was_not_asked_for(runtime: Runtime) -> None:
    result = runtime.run("demo", ["/bin/true"])
    assert result.snapshots == ()
    assert not any("read(gate)" in step.call for step in result.steps)


def test_a_step_that_fails_leaves_one_snapshot(runtime: Runtime) -> None:
    result = runtime.run("demo", ["/bin/true"], snapshots=True, workdir="/nowhere")
    assert result.failure is not None
    assert [snapshot.moment for snapshot in result.snapshots] == ["at the gate"]


def test_an_exec_that_fails_leaves_both(runtime: Runtime) -> None:
    result = runtime.run("demo", ["/nowhere"], snapshots=True)
    assert result.exit_code == 127
    assert len(result.snapshots) == 2


def test_a_detached_container_has_them_too(runtime: Runtime) -> None:
    result = runtime.run("demo", ["/bin/sleep", "30"], snapshots=True, detach=True)
    assert len(result.snapshots) == 2
    runtime.kill(result.id)


def test_the_program_keeps_no_descriptor_of_the_gate(runtime: Runtime) -> None:
    result = runtime.run("demo", ["/bin/sleep", "30"], snapshots=True, detach=True)
    assert until(lambda: sorted(os.listdir(f"/proc/{result.pid}/fd")) == ["0", "1", "2"])
    runtime.kill(result.id)


def test_many_at_once_each_get_their_own(runtime: Runtime) -> None:
    found: dict[int, tuple[int, ...]] = {}

    def one(number: int) -> None:
        result = runtime.run("demo", ["/bin/sh", "-c", f"exit {number}"], snapshots=True)
        found[number] = (result.exit_code or 0, len(result.snapshots), result.snapshots[0].pid - result.pid)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert found == {number: (number, 2, 0) for number in range(1, 9)}


def test_a_child_that_is_killed_between_gate_and_exec_ends_the_run(runtime: Runtime) -> None:
    """Killed as soon as the record says running: where in between it was just then does not matter."""
    runtime.run("demo", ["/bin/true"])
    launcher = runtime.launcher_pid
    assert launcher is not None
    result: list[object] = []
    thread = threading.Thread(target=lambda: result.append(runtime.run("demo", ["/bin/true"], snapshots=True)))
    thread.start()
    while thread.is_alive() and not _running(runtime):
        time.sleep(0.0005)
    victims = children(launcher) + [below for child in children(launcher) for below in children(child)]
    for pid in victims:
        if Path(f"/proc/{pid}/cmdline").read_bytes() and str(pid) in _running(runtime):
            os.kill(pid, signal.SIGKILL)
    thread.join(10)
    assert not thread.is_alive()
    assert len(result) == 1


def _running(runtime: Runtime) -> str:
    """The pids that containers.db calls running."""
    lines = Path(runtime.home.containers_db).read_text().splitlines()
    return " ".join(line.split("|")[1] for line in lines if line.split("|")[3] == "running")


def test_the_process_tree_names_everything_that_a_run_needs(runtime: Runtime) -> None:
    result = runtime.run("demo", ["/bin/sh", "-c", "sleep 30 & wait"], detach=True)
    assert until(lambda: "sleep 30" in tree_text(runtime.process_tree()))
    text = tree_text(runtime.process_tree())
    lines = [line.strip("└├─│ ") for line in text.splitlines()]
    assert lines[0] == "kernel  this notebook's Python"
    for start in ("launcher  ", "forker  ", f"container {result.id}  /bin/sh", "process  sleep 30"):
        assert sum(line.startswith(start) for line in lines) == 1, (start, text)
    runtime.kill(result.id)
