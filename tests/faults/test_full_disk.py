"""A full disk: nothing half-made is seen, what was written stays, and room made is enough to go on."""

from __future__ import annotations

from pathlib import Path
from threading import Timer

import pytest
from hostile import Disk, Mdock, eventually

from udock_lab import Runtime
from udock_lab.runtime.state import containers
from udock_lab.runtime.state.eventlog import write_event

LEVELS = [0, 4096, 3 * 4096, 64 * 1024]


@pytest.fixture
def mdock(disk: Disk, demo_rootfs: Path) -> Mdock:
    mdock = Mdock(disk.path / ".mdock")
    assert mdock("build", "demo", str(demo_rootfs)).returncode == 0
    assert mdock("run", "demo", "--", "/bin/sh", "-c", "echo first").returncode == 0
    return mdock


def says_what_to_do(stderr: str) -> bool:
    return "No space is left" in stderr and "mdock prune" in stderr and "df -h" in stderr


@pytest.mark.parametrize("free", LEVELS)
def test_build_on_a_full_disk_leaves_no_trace_and_works_once_there_is_room(
    mdock: Mdock, disk: Disk, demo_rootfs: Path, free: int
) -> None:
    for words in (["build", "--force", "demo"], ["build", "other"]):
        disk.fill(free)
        result = mdock(*words, str(demo_rootfs))
        assert result.returncode == 1
        assert says_what_to_do(result.stderr), result.stderr
        assert mdock.check_tables() == (["demo"], ["c1"])
        disk.empty()
        assert mdock("run", "--rm", "demo", "--", "/bin/true").returncode == 0
        assert mdock(*words, str(demo_rootfs)).returncode == 0
    assert mdock.check_tables() == (["demo", "other"], ["c1"])


@pytest.mark.parametrize("free", LEVELS)
def test_demo_on_a_full_disk_leaves_no_trace_and_works_once_there_is_room(disk: Disk, free: int) -> None:
    mdock = Mdock(disk.path / ".mdock")
    disk.fill(free)
    result = mdock("demo")
    assert result.returncode == 1
    assert "df -h" in result.stderr and ("No space" in result.stderr), result.stderr
    disk.empty()
    assert mdock("demo").returncode == 0
    assert mdock.check_tables() == (["demo"], [])


@pytest.mark.parametrize("free", LEVELS)
def test_run_on_a_full_disk_is_refused_or_says_what_was_lost(mdock: Mdock, disk: Disk, free: int) -> None:
    disk.fill(free)
    result = mdock("run", "demo", "--", "/bin/sh", "-c", "echo hello; exit 3")
    if result.returncode == 125:
        assert says_what_to_do(result.stderr), result.stderr
    else:
        assert (result.returncode, result.stdout) == (3, "hello\n")
        lost = [line for line in result.stderr.splitlines() if line.startswith("[mdock] ") and "No space" in line]
        assert lost or containers.find(mdock.home, "c2").exit_code == 3, result.stderr
    images, ids = mdock.check_tables()
    assert images == ["demo"] and "c1" in ids
    disk.empty()
    after = mdock("run", "demo", "--", "/bin/sh", "-c", "exit 4")
    assert (after.returncode, after.stderr) == (4, "")
    eventually(lambda: all(record.end_time for record in containers.read_all(mdock.home)[0]))


def test_private_copy_that_does_not_fit_is_refused_and_gone(mdock: Mdock, disk: Disk) -> None:
    disk.fill(1 << 20)
    result = mdock("run", "--copy", "demo", "--", "/bin/true")
    assert result.returncode == 125
    assert says_what_to_do(result.stderr), result.stderr
    assert mdock.check_tables() == (["demo"], ["c1"])


@pytest.mark.parametrize("free", LEVELS)
def test_removing_makes_room_on_a_full_disk(mdock: Mdock, disk: Disk, free: int) -> None:
    """The hint says ``mdock prune``: it has to work there, though a smaller table is a new file too."""
    disk.fill(free)
    assert mdock("prune").stdout == "c1\n"
    assert mdock.check_tables() == (["demo"], [])
    disk.fill(free)
    result = mdock("rmi", "demo")
    assert result.returncode == 0, result.stderr
    assert mdock.check_tables() == ([], [])


def test_exec_and_stop_work_on_a_full_disk(mdock: Mdock, disk: Disk) -> None:
    assert mdock("run", "-d", "demo", "--", "/bin/sleep", "60").stdout == "c2\n"
    disk.fill(0)
    inside = mdock("exec", "c2", "/bin/sh", "-c", "echo inside; exit 5")
    assert (inside.returncode, inside.stdout) == (5, "inside\n")
    runtime = Runtime(mdock.home.path, forked=True)
    pid = runtime.ps()[-1].record.pid
    room = Timer(1.0, disk.empty)
    room.start()
    record = runtime.stop("c2")
    room.join()
    assert not Path(f"/proc/{pid}").exists()
    assert record.end_time is not None and record.exit_code == 143
    assert any("No space is left" in sentence for sentence in runtime.complaints())
    mdock.check_tables()


@pytest.mark.forks
def test_a_container_whose_log_fills_the_disk_goes_on_and_its_end_is_recorded(mdock: Mdock, disk: Disk) -> None:
    script = "i=0; while [ $i -lt 3000 ]; do echo $i-0123456789-0123456789-0123456789; i=$((i+1)); done; exit 6"
    disk.fill(96 * 1024)
    runtime = Runtime(mdock.home.path, forked=True)
    result = runtime.run("demo", ["/bin/sh", "-c", script])
    assert result.exit_code == 6
    assert result.stdout.count(b"\n") == 3000
    assert any("the log of c2 is incomplete: No space left" in note for note in result.notes)
    assert containers.find(mdock.home, "c2").exit_code == 6
    log = runtime.logs("c2")
    assert log.startswith(b"0-0123") and b"[mdock] the disk is full" in log.splitlines()[-1]
    mdock.check_tables()


def test_an_end_that_a_full_disk_kept_out_of_the_table_is_recorded_when_there_is_room(mdock: Mdock, disk: Disk) -> None:
    mdock("run", "-d", "demo", "--", "/bin/sleep", "0.5")
    pid = containers.find(mdock.home, "c2").pid
    disk.fill(0)
    eventually(lambda: not Path(f"/proc/{pid}").exists())
    assert containers.find(mdock.home, "c2").end_time is None
    assert mdock("ps").returncode == 0
    disk.empty()
    eventually(lambda: containers.find(mdock.home, "c2").exit_code == 0)
    mdock.check_tables()


def test_a_line_that_log_txt_cannot_take_leaves_no_torn_line(mdock: Mdock, disk: Disk) -> None:
    disk.fill(0)
    with pytest.raises(OSError, match="No space left"):
        for _ in range(40):
            write_event(mdock.home, "RM", id="c1", padding="x" * 150)
    data = Path(mdock.home.log).read_bytes()
    assert data.endswith(b"\n") and all(line.startswith(b"[") for line in data.splitlines())
    stopped = mdock("rm", "c1")
    assert (stopped.returncode, stopped.stdout) == (0, "c1\n")
    assert "[mdock] log.txt lacks a line (RM)" in stopped.stderr or stopped.stderr == ""
