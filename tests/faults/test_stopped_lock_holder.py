"""A stopped process (Ctrl-Z) keeps the home's lock: a message that names it, in time, and nothing is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from hostile import Mdock, eventually

from udock_lab import Runtime
from udock_lab.errors import LockTimeout
from udock_lab.linux.process import state
from udock_lab.runtime.state import containers

HOLDER = """
import os, signal, sys
from udock_lab.runtime.state.home import Home
from udock_lab.runtime.state.lock import locked
with locked(Home(sys.argv[1])):
    os.kill(os.getpid(), signal.SIGSTOP)
"""


@pytest.fixture
def mdock(runtime: Runtime, chroot_works: None) -> Mdock:
    return Mdock(runtime.home.path, MDOCK_LOCK_TIMEOUT="0.4")


@pytest.fixture
def holder(mdock: Mdock) -> Iterator[int]:
    """The pid of a process that is stopped while it holds the lock."""
    process = subprocess.Popen([sys.executable, "-c", HOLDER, mdock.home.path])
    eventually(lambda: state(process.pid) == "T")
    yield process.pid
    process.send_signal(signal.SIGCONT)
    process.wait()


def test_every_writer_gives_up_in_time_and_names_the_stopped_process(
    mdock: Mdock, holder: int, demo_rootfs: Path
) -> None:
    for words in (
        ["run", "demo", "--", "/bin/true"],
        ["run", "-d", "demo", "--", "/bin/true"],
        ["build", "--force", "demo", str(demo_rootfs)],
        ["rmi", "demo"],
    ):
        result = mdock(*words)
        assert result.returncode == (125 if words[0] == "run" else 1)
        assert f"locked by process {holder}, which is stopped" in result.stderr
        assert f"kill -CONT {holder}" in result.stderr
    os.kill(holder, signal.SIGCONT)
    assert mdock("run", "demo", "--", "/bin/sh", "-c", "exit 4").returncode == 4
    assert mdock.check_tables() == (["demo"], ["c1"])


def test_readers_do_not_wait_for_the_lock(mdock: Mdock, holder: int) -> None:
    for words in (["ps"], ["images"], ["inspect", "demo"]):
        result = mdock(*words)
        assert (result.returncode, result.stderr) == (0, "")  # who waits for it gives up, and says so


def test_program_that_ends_meanwhile_gives_its_code_and_its_end_is_recorded_later(mdock: Mdock) -> None:
    waits = "until test -e /tmp/go; do sleep 0.02; done"
    foreground = subprocess.Popen(
        [sys.executable, "-m", "udock_lab.cli", "run", "demo", "--", "/bin/sh", "-c", f"{waits}; exit 7"],
        env=mdock.env, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert mdock("run", "-d", "demo", "--", "/bin/sh", "-c", f"{waits}; exit 8").returncode == 0
    eventually(lambda: len(containers.read_all(mdock.home)[0]) == 2)
    process = subprocess.Popen([sys.executable, "-c", HOLDER, mdock.home.path])
    try:
        eventually(lambda: state(process.pid) == "T")
        place = Path(mdock.home.image_rootfs("demo"), "tmp")
        place.mkdir(exist_ok=True)
        (place / "go").touch()
        said = foreground.communicate(timeout=60)[1]
        assert foreground.returncode == 7
        assert "is not recorded yet" in said and f"kill -CONT {process.pid}" in said
        assert [record.end_time for record in containers.read_all(mdock.home)[0]] == [None, None]
    finally:
        process.send_signal(signal.SIGCONT)
        process.wait()
    eventually(lambda: all(record.end_time for record in containers.read_all(mdock.home)[0]))
    assert sorted(record.exit_code or 0 for record in containers.read_all(mdock.home)[0]) == [7, 8]


def test_stop_that_cannot_note_its_intent_leaves_the_container_alone(
    mdock: Mdock, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert mdock("run", "-d", "demo", "--", "/bin/sleep", "60").stdout == "c1\n"
    process = subprocess.Popen([sys.executable, "-c", HOLDER, mdock.home.path])
    monkeypatch.setenv("MDOCK_LOCK_TIMEOUT", "0.3")
    try:
        eventually(lambda: state(process.pid) == "T")
        runtime = Runtime(mdock.home.path, forked=True)
        for end in (runtime.stop, runtime.kill, partial(runtime.rm, force=True)):
            with pytest.raises(LockTimeout, match=f"process {process.pid}, which is stopped"):
                end("c1")
        assert runtime.ps()[0].alive
    finally:
        process.send_signal(signal.SIGCONT)
        process.wait()
    assert mdock("stop", "c1").returncode == 0
    assert containers.find(mdock.home, "c1").exit_code == 143


def test_kernel_launcher_serves_again_after_the_lock_was_held(
    runtime: Runtime, mdock: Mdock, holder: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The launcher took its timeout from the kernel's environment when it was started."""
    runtime.close()
    monkeypatch.setenv("MDOCK_LOCK_TIMEOUT", "0.4")
    with pytest.raises(LockTimeout, match="which is stopped"):
        runtime.run("demo", ["/bin/true"])
    os.kill(holder, signal.SIGCONT)
    assert runtime.run("demo", ["/bin/sh", "-c", "exit 9"]).exit_code == 9
    runtime.close()
