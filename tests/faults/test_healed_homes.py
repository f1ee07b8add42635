"""A home that lost a folder, whose tables are links, or in which ``sudo mdock`` once worked."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hostile import NOBODY, Mdock

from udock_lab.linux.wholefile import write_whole

pytestmark = pytest.mark.usefixtures("as_root")
TABLES = ["images.db", "containers.db", "log.txt"]


def prepare(home: Path, rootfs: Path, user: int | None = None) -> Mdock:
    """A home with the image demo and an ended c1."""
    mdock = Mdock(home)
    for words in (["build", "demo", str(rootfs)], ["run", "demo", "--", "/bin/sh", "-c", "echo first"]):
        assert mdock(*words, user=user).returncode == 0
    return mdock


@pytest.mark.parametrize("lost", ["logs", "containers", "run", "images"])
def test_a_lost_folder_is_made_anew(tmp_path: Path, demo_rootfs: Path, lost: str) -> None:
    mdock = prepare(tmp_path / "home", demo_rootfs)
    shutil.rmtree(f"{mdock.home.path}/{lost}")
    if lost == "images":
        assert mdock("build", "--force", "demo", str(demo_rootfs)).returncode == 0
    done = mdock("run", "demo", "--", "/bin/sh", "-c", "echo second; exit 3")
    assert (done.returncode, done.stdout, done.stderr) == (3, "second\n", "")
    assert mdock("logs", "c2").stdout == "second\n"
    assert mdock("exec", "c2", "true").stderr.startswith("[mdock] Container 'c2' is not running")
    assert mdock("prune").stdout == "c1\nc2\n"


@pytest.mark.parametrize("lost", ["logs", "containers", "run", "images"])
def test_a_folder_that_is_lost_while_a_container_runs_does_not_hide_its_end(
    tmp_path: Path, demo_rootfs: Path, lost: str
) -> None:
    mdock = prepare(tmp_path / "home", demo_rootfs)
    words = [
        sys.executable,
        "-m",
        "udock_lab.cli",
        "run",
        "-i",
        "demo",
        "--",
        "/bin/sh",
        "-c",
        "echo up; read x; exit 5",
    ]
    with subprocess.Popen(words, env=mdock.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as run:
        assert run.stdin is not None and run.stdout is not None
        assert run.stdout.readline() == b"up\n"
        shutil.rmtree(f"{mdock.home.path}/{lost}")
        run.stdin.close()
        assert run.wait(timeout=20) == 5
    assert mdock("inspect", "--format", "{{.State.Status}} {{.State.ExitCode}}", "c2").stdout == "exited 5\n"
    assert mdock("rm", "c2").stdout == "c2\n"


def test_tables_that_are_links_stay_links_and_lose_nothing(tmp_path: Path, demo_rootfs: Path) -> None:
    mdock = prepare(tmp_path / "home", demo_rootfs)
    (tmp_path / "kept").mkdir()
    for name in TABLES:
        table = Path(mdock.home.path, name)
        table.rename(tmp_path / "kept" / name)
        table.symlink_to(f"../kept/{name}")
    os.chmod(tmp_path / "kept" / "containers.db", 0o600)
    assert mdock("run", "demo", "--", "/bin/sh", "-c", "exit 3").returncode == 3
    name = mdock("run", "-d", "demo", "sleep", "30").stdout.strip()
    assert mdock("stop", name).returncode == 0
    assert mdock("build", "--force", "demo", str(demo_rootfs)).returncode == 0
    assert mdock("rm", "c1").returncode == 0
    for table in TABLES:
        assert Path(mdock.home.path, table).is_symlink()
    kept = (tmp_path / "kept" / "containers.db").read_text()
    assert [line.split("|")[0] for line in kept.splitlines()] == ["c2", name]
    assert os.stat(tmp_path / "kept" / "containers.db").st_mode & 0o777 == 0o600
    assert sorted(os.listdir(tmp_path / "kept")) == sorted(TABLES)


def test_a_table_that_is_a_link_to_nowhere_is_named(tmp_path: Path, demo_rootfs: Path) -> None:
    mdock = prepare(tmp_path / "home", demo_rootfs)
    table = Path(mdock.home.containers_db)
    table.unlink()
    table.symlink_to(tmp_path / "nowhere" / "containers.db")
    done = mdock("run", "demo", "true")
    assert done.returncode == 125 and f"{table} is a symbolic link to " in done.stderr, done.stderr
    (tmp_path / "nowhere").mkdir()
    assert mdock("run", "demo", "true").returncode == 0
    assert (tmp_path / "nowhere" / "containers.db").read_text().startswith("c")


def test_what_root_makes_in_a_users_home_is_the_users(open_place: Path, demo_rootfs: Path) -> None:
    """``sudo mdock`` with the user's home, which is empty at first."""
    os.chown(open_place, NOBODY, NOBODY)
    mdock = prepare(open_place / "deep" / "home", demo_rootfs)
    inside = [path for path in Path(mdock.home.path).rglob("*") if "rootfs" not in path.parts]
    assert {os.lstat(path).st_uid for path in [Path(mdock.home.path), *inside]} == {NOBODY}
    done = mdock("run", "demo", "--", "/bin/sh", "-c", "exit 3", user=NOBODY)
    assert done.returncode == 3 and "log" not in done.stderr, done.stderr
    assert mdock("rm", "c1", "c2", user=NOBODY).stdout == "c1\nc2\n"


@pytest.mark.parametrize("name", ["images.db", "containers.db", "log.txt", "run/lock", "run/highest_id"])
def test_a_file_that_root_left_in_ones_own_home_is_no_hindrance(open_place: Path, demo_rootfs: Path, name: str) -> None:
    mdock = prepare(open_place / "home", demo_rootfs)
    subprocess.run(["chown", "-R", str(NOBODY), mdock.home.path], check=True)
    file = Path(mdock.home.path, name)
    os.chown(file, 0, 0)
    file.chmod(0o644)
    before = file.read_bytes()
    for words, code in ((["run", "demo", "--", "/bin/sh", "-c", "exit 3"], 3), (["rm", "c1"], 0), (["rmi", "demo"], 1)):
        done = mdock(*words, user=NOBODY)
        assert done.returncode == code and "belongs to root" not in done.stderr, done.stderr
        assert "lacks a line" not in done.stderr
    assert file.read_bytes()[: len(before)] == before or name in ("containers.db", "run/highest_id")
    assert [line[:3] for line in Path(mdock.home.containers_db).read_text().splitlines()] == ["c2|"]


@pytest.mark.parametrize("words", ["rm c1", "prune", "rmi demo"])
def test_what_only_root_can_remove_is_named_with_the_remedy(open_place: Path, demo_rootfs: Path, words: str) -> None:
    """As an older mdock left it."""
    mdock = prepare(open_place / "home", demo_rootfs)
    subprocess.run(["chown", "-R", str(NOBODY), mdock.home.path], check=True)
    if words.startswith("rmi"):
        assert mdock("rm", "c1").returncode == 0
        subprocess.run(["chown", "-R", "0", mdock.home.image_rootfs("demo")], check=True)
    else:
        subprocess.run(["chown", "-R", "0", mdock.home.container_dir("c1")], check=True)
    done = mdock(*words.split(), user=NOBODY)
    assert done.returncode == 1 and "sudo chown -R $(id -u)" in done.stderr, done.stderr
    if not words.startswith("rmi"):
        assert "Container 'c1' is not removed: " in done.stderr and mdock("ps", "-q").stdout == "c1\n"


def test_a_file_written_whole_keeps_its_link_its_owner_and_its_mode(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("old")
    target.chmod(0o640)
    os.chown(target, NOBODY, NOBODY)
    link.symlink_to("target")
    write_whole(link, b"new")
    info = target.stat()
    assert link.is_symlink() and target.read_text() == "new"
    assert (info.st_uid, info.st_mode & 0o777) == (NOBODY, 0o640)
    assert sorted(os.listdir(tmp_path)) == ["link", "target"]
