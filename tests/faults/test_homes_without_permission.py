"""A read-only home, and a home of another user: looking works, changing says why not and what to type next."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hostile import NOBODY, Disk, Mdock

from udock_lab import Runtime

LOOKING = [["ps"], ["ps", "-q"], ["images"], ["logs", "c1"], ["inspect", "c1"], ["inspect", "demo"], ["wait", "c1"]]


def changing(rootfs: Path) -> list[list[str]]:
    return [
        ["run", "demo", "--", "/bin/true"],
        ["run", "-d", "demo", "--", "/bin/true"],
        ["run", "--copy", "demo", "--", "/bin/true"],
        ["build", "other", str(rootfs)],
        ["build", "--force", "demo", str(rootfs)],
        ["rm", "c1"],
        ["prune"],
        ["rmi", "demo"],
    ]


def prepare(home: Path, rootfs: Path) -> Mdock:
    mdock = Mdock(home)
    assert mdock("build", "demo", str(rootfs)).returncode == 0
    assert mdock("run", "demo", "--", "/bin/sh", "-c", "echo hello; exit 3").returncode == 3
    return mdock


def give_to_nobody(mdock: Mdock) -> None:
    for path in [Path(mdock.home.path), *Path(mdock.home.path).rglob("*")]:
        os.chown(path, NOBODY, NOBODY, follow_symlinks=False)


def test_read_only_home_can_be_looked_at_and_says_why_nothing_else(disk: Disk, demo_rootfs: Path) -> None:
    mdock = prepare(disk.path / ".mdock", demo_rootfs)
    disk.read_only(True)
    for words in LOOKING:
        result = mdock(*words)
        assert (result.returncode, result.stderr) == (0, ""), words
    assert mdock("logs", "c1").stdout == "hello\n"
    for words in changing(demo_rootfs):
        if words == ["rmi", "demo"]:
            continue  # refused already because c1 uses it
        result = mdock(*words)
        assert result.returncode == (125 if words[0] == "run" else 1), (words, result.stderr)
        assert "read-only file system" in result.stderr, (words, result.stderr)
        assert "export MDOCK_HOME=" in result.stderr, (words, result.stderr)
    assert mdock.check_tables() == (["demo"], ["c1"])
    disk.read_only(False)
    assert mdock("run", "demo", "--", "/bin/sh", "-c", "exit 4").returncode == 4


def test_demo_in_a_read_only_home_says_why_not(disk: Disk) -> None:
    disk.read_only(True)
    result = Mdock(disk.path / ".mdock")("demo")
    assert result.returncode == 1
    assert "read-only file system" in result.stderr and "export MDOCK_HOME=" in result.stderr


def test_home_of_another_user_can_be_looked_at_and_its_owner_is_named(open_place: Path, demo_rootfs: Path) -> None:
    mdock = prepare(open_place / ".mdock", demo_rootfs)
    for words in LOOKING:
        result = mdock(*words, user=NOBODY)
        assert (result.returncode, result.stderr) == (0, ""), words
    for words in changing(demo_rootfs)[:-1]:
        result = mdock(*words, user=NOBODY)
        assert result.returncode == (125 if words[0] == "run" else 1), (words, result.stderr)
        assert "belongs to root, and you are " in result.stderr, (words, result.stderr)
        assert "sudo" in result.stderr and "export MDOCK_HOME=" in result.stderr, (words, result.stderr)
    assert mdock.check_tables() == (["demo"], ["c1"])


def test_container_of_another_user_is_seen_running_and_stays_so(open_place: Path, demo_rootfs: Path) -> None:
    mdock = prepare(open_place / ".mdock", demo_rootfs)
    assert mdock("run", "-d", "demo", "--", "/bin/sleep", "60").stdout == "c2\n"
    assert mdock("ps", "-q", "--running", user=NOBODY).stdout == "c2\n"
    for words in (["stop", "c2"], ["kill", "c2"], ["kill", "-s", "TERM", "c2"], ["rm", "-f", "c2"]):
        result = mdock(*words, user=NOBODY)
        assert result.returncode == 1
        assert "belongs to " in result.stderr and "sudo" in result.stderr, (words, result.stderr)
    assert [container.alive for container in Runtime(mdock.home.path).ps()] == [False, True]
    assert mdock("rm", "-f", "c2").returncode == 0


def test_commands_are_shown_though_the_folder_of_containers_may_not_be_listed(
    open_place: Path, demo_rootfs: Path
) -> None:
    mdock = prepare(open_place / ".mdock", demo_rootfs)
    os.chmod(mdock.home.containers_dir, 0o711)
    assert "/bin/sh -c echo hello; exit 3" in mdock("ps", user=NOBODY).stdout


def test_home_that_nobody_may_even_enter_is_explained(open_place: Path, demo_rootfs: Path) -> None:
    mdock = prepare(open_place / ".mdock", demo_rootfs)
    os.chmod(mdock.home.path, 0o700)
    for words in [*LOOKING, *changing(demo_rootfs)]:
        result = mdock(*words, user=NOBODY)
        assert result.returncode == (125 if words[0] == "run" else 1), (words, result.stderr)
        assert "belongs to root" in result.stderr, (words, result.stderr)


def test_what_is_looked_at_because_nothing_can_be_written_is_there(open_place: Path, demo_rootfs: Path) -> None:
    mdock = prepare(open_place / ".mdock", demo_rootfs)
    give_to_nobody(mdock)
    os.chmod(mdock.home.path, 0o555)
    said = mdock("rm", "c1", user=NOBODY).stderr
    assert "closed to you" in said
    assert os.path.exists(said.rpartition("ls -ld ")[2].strip()), said
    os.chmod(mdock.home.path, 0o755)


@pytest.mark.parametrize("table", ["images.db", "containers.db", "log.txt", "run/lock"])
def test_one_file_of_another_user_inside_the_own_home_is_named(open_place: Path, demo_rootfs: Path, table: str) -> None:
    """What ``sudo mdock`` leaves in the home of the user who typed it."""
    mdock = prepare(open_place / ".mdock", demo_rootfs)
    give_to_nobody(mdock)
    file = Path(mdock.home.path) / table
    os.chown(file, 0, 0)
    file.chmod(0o600)
    result = mdock("run", "demo", "--", "/bin/sh", "-c", "exit 3", user=NOBODY)
    assert "[mdock] " in result.stderr
    if table == "log.txt":
        assert result.returncode == 3
        assert "log.txt lacks a line (RUN of c2)" in result.stderr
    else:
        assert result.returncode == 125
        assert f"{file} belongs to root, and you are " in result.stderr
        assert "sudo chown -R" in result.stderr
    ps = mdock("ps", user=NOBODY)
    assert ps.returncode == (1 if table == "containers.db" else 0), ps.stderr


def test_root_in_the_home_of_a_user_leaves_it_usable(open_place: Path, demo_rootfs: Path) -> None:
    """``sudo mdock``: the tables that root rewrites stay the user's."""
    mdock = prepare(open_place / ".mdock", demo_rootfs)
    give_to_nobody(mdock)
    os.chmod(mdock.home.containers_db, 0o600)
    assert mdock("run", "demo", "--", "/bin/sh", "-c", "exit 4").returncode == 4
    info = os.stat(mdock.home.containers_db)
    assert (info.st_uid, info.st_gid, info.st_mode & 0o777) == (NOBODY, NOBODY, 0o600)
    assert mdock("run", "demo", "--", "/bin/sh", "-c", "exit 5", user=NOBODY).returncode == 5
    assert mdock("rm", "c1", "c3", user=NOBODY).returncode == 0
    assert mdock("rm", "c2").returncode == 0
    assert mdock.check_tables() == (["demo"], [])


def test_user_without_a_home_folder_is_told_to_choose_one(open_place: Path) -> None:
    mdock = Mdock(open_place / ".mdock")
    del mdock.env["HOME"]
    for words in (["ps"], ["demo"]):
        result = mdock(*words, user=4_000_000, cwd=open_place)
        assert result.returncode in (1, 2)
        assert "no home folder" in result.stderr and "export MDOCK_HOME=" in result.stderr
    assert os.listdir(open_place) == []
