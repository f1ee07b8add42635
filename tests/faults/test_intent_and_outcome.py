"""The record and log.txt say what happened, not what somebody meant to do."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hostile import NOBODY, Mdock, eventually

from udock_lab import Runtime
from udock_lab.runtime.state import containers, extras

pytestmark = pytest.mark.usefixtures("as_root")


@pytest.fixture
def mdock(tmp_path: Path, demo_rootfs: Path) -> Mdock:
    mdock = Mdock(tmp_path / "home")
    assert mdock("build", "demo", str(demo_rootfs)).returncode == 0
    return mdock


def start(mdock: Mdock, script: str, *options: str) -> str:
    """A detached container whose script has begun."""
    done = mdock("run", "-d", *options, "demo", "--", "/bin/sh", "-c", f"echo on; {script}")
    name = done.stdout.strip()
    eventually(lambda: mdock("logs", name).stdout.startswith("on\n"))
    return name


def events(mdock: Mdock) -> list[str]:
    """What log.txt holds, without times."""
    return [line.split("] ", 1)[1] for line in Path(mdock.home.log).read_text().splitlines()]


@pytest.mark.parametrize(
    ("script", "outcomes"),
    [
        ("exec sleep 30", {("stopped", 143)}),
        ("trap 'exit 0' TERM; while :; do sleep 0.01; done", {("stopped", 0), ("killed", 137)}),
        ("trap '' TERM; while :; do sleep 0.01; done", {("killed", 137)}),
    ],
    ids=["dies of TERM", "handles TERM", "ignores TERM"],
)
def test_stop_without_patience_records_which_signal_ended_it(
    mdock: Mdock, script: str, outcomes: set[tuple[str, int]]
) -> None:
    for _ in range(4):
        name = start(mdock, script)
        assert mdock("stop", "-t", "0", name).returncode == 0
        record = containers.find(mdock.home, name)
        assert (record.status.value, record.exit_code) in outcomes
        said = [event for event in events(mdock) if f"id={name} " in event]
        assert [event.split()[0] for event in said[:2] + said[-1:]] == ["RUN", "STOP", "EXIT"]
        assert said[-1].endswith(f"code={record.exit_code} status={record.status.value}")
        if outcomes == {("stopped", 143)}:
            assert len(said) == 3, "nothing was killed"


@pytest.mark.parametrize("words", ["stop", "stop -t 0", "kill", "kill -s USR1", "rm -f"])
def test_a_signal_that_is_not_allowed_leaves_record_and_log_as_they_were(
    open_place: Path, demo_rootfs: Path, words: str
) -> None:
    """Root's container in one's own home."""
    mdock = Mdock(open_place / "home")
    mdock("build", "demo", str(demo_rootfs))
    subprocess.run(["chown", "-R", str(NOBODY), mdock.home.path], check=True)
    name = start(mdock, "exec sleep 30")
    table, log = Path(mdock.home.containers_db).read_bytes(), Path(mdock.home.log).read_bytes()
    done = mdock(*words.split(), name, user=NOBODY)
    assert done.returncode == 1 and "belongs to another user" in done.stderr, done.stderr
    assert Path(mdock.home.containers_db).read_bytes() == table
    assert Path(mdock.home.log).read_bytes() == log
    assert mdock("stop", name).returncode == 0
    record = containers.find(mdock.home, name)
    assert (record.status.value, record.exit_code) == ("stopped", 143)


def obstruct_with_a_mount(mdock: Mdock, name: str) -> Callable[[], None]:
    """Something is mounted inside its private copy."""
    inside = f"{extras.load_extra(mdock.home, name, 'spec')['rootfs']}/mnt"
    os.makedirs(inside, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "none", inside], check=True)
    return lambda: subprocess.run(["umount", inside], check=True) and None


def obstruct_its_log(mdock: Mdock, name: str) -> Callable[[], None]:
    """A folder stands where its log was."""
    log = Path(mdock.home.container_log(name))
    log.rename(log.with_suffix(".moved"))
    (log / "x").mkdir(parents=True)

    def clear() -> None:
        (log / "x").rmdir()
        log.rmdir()

    return clear


@pytest.mark.parametrize("obstruct", [obstruct_with_a_mount, obstruct_its_log])
def test_files_that_cannot_be_removed_keep_their_record(
    mdock: Mdock, obstruct: Callable[[Mdock, str], Callable[[], None]]
) -> None:
    first, second = (mdock("run", "-d", "--copy", "demo", "true").stdout.strip() for _ in "ab")
    mdock("wait", first, second)
    clear = obstruct(mdock, first)
    try:
        for words in (["rm", first], ["rm", "-f", first], ["prune"]):
            done = mdock(*words)
            assert done.returncode == 1 and f"Container '{first}' is not removed: " in done.stderr, done.stderr
            assert containers.find(mdock.home, first).exit_code == 0
            assert not [event for event in events(mdock) if event == f"RM id={first}"]
        assert done.stdout == f"{second}\n"
    finally:
        clear()
    assert mdock("prune").stdout == f"{first}\n"
    assert os.listdir(mdock.home.containers_dir) == []
    assert [name for name in os.listdir(mdock.home.run_dir) if "copy" in name] == []


def test_the_hint_finds_the_very_file_that_resists(open_place: Path, demo_rootfs: Path) -> None:
    mdock = Mdock(open_place / "a home")
    mdock("build", "demo", str(demo_rootfs))
    mdock("run", "--copy", "demo", "true")
    file = Path(extras.load_extra(mdock.home, "c1", "spec")["rootfs"], "etc", "it stays")
    file.touch()
    if not shutil.which("chattr") or subprocess.run(["chattr", "+i", file], capture_output=True).returncode:
        pytest.skip("needs a file system with attributes")
    try:
        said = mdock("rm", "c1").stderr
        typed = said.partition("Look at it: ")[2].partition("   ")[0]
        shown = subprocess.run(typed, shell=True, capture_output=True, text=True).stdout.splitlines()
        assert len(shown) == 2 and all(str(file) in line.replace("\\ ", " ") for line in shown), (said, shown)
    finally:
        subprocess.run(["chattr", "-i", file], check=True)
    assert mdock("rm", "c1").returncode == 0


def test_a_container_that_cannot_remove_itself_says_so_and_keeps_its_record(mdock: Mdock) -> None:
    waits = "until test -e /go; do sleep 0.02; done; exit 3"
    command = mdock.env, ["run", "--rm", "--copy", "demo", "--", "/bin/sh", "-c", waits]
    foreground = subprocess.Popen(
        [sys.executable, "-m", "udock_lab.cli", *command[1]], env=command[0], stderr=subprocess.PIPE, text=True
    )
    eventually(lambda: "rootfs" in extras.load_extra(mdock.home, "c1", "spec"))
    clear = obstruct_with_a_mount(mdock, "c1")
    try:
        Path(f"{extras.load_extra(mdock.home, 'c1', 'spec')['rootfs']}/go").touch()
        said = foreground.communicate(timeout=60)[1]
        assert foreground.returncode == 3
        assert "c1 is not removed: " in said and "mdock rm c1" in said
        record = containers.find(mdock.home, "c1")
        assert (record.status.value, record.exit_code) == ("exited", 3)
    finally:
        clear()
    assert mdock("rm", "c1").returncode == 0


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_container_that_removes_itself_takes_the_replaced_image_with_it(
    mdock: Mdock, demo_rootfs: Path, end: str
) -> None:
    names = [start(mdock, "exec sleep 30", "--rm") for _ in "ab"]
    mdock("build", "--force", "demo", str(demo_rootfs))
    kept = [name for name in os.listdir(mdock.home.run_dir) if name.startswith("kept-")]
    assert len(kept) == 1
    assert mdock(end, names[0]).returncode == 0
    assert kept[0] in os.listdir(mdock.home.run_dir), "the other one still runs in it"
    assert mdock(end, names[1]).returncode == 0
    eventually(lambda: sorted(os.listdir(mdock.home.run_dir)) == ["highest_id", "known_table", "lock"])


def test_every_end_says_killed_if_and_only_if_sigkill_was_sent(runtime: Runtime) -> None:
    """Whoever comes first: the program's own end, TERM, or KILL."""
    script = "trap 'exit 7' TERM; sleep 0.1; exit 5"
    for number in range(12):
        name = runtime.run("demo", ["/bin/sh", "-c", script], detach=True).id
        record = runtime.stop(name, timeout=number * 0.01)
        assert (record.status.value == "killed") == (record.exit_code == 137), record
