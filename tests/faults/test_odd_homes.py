"""Homes with odd names, and homes in which something else stands where a file or folder should be."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import pytest
from hostile import Mdock

from udock_lab import Runtime
from udock_lab.errors import MdockError, UsageError


@pytest.mark.parametrize(
    "name",
    [
        " blanks and\ttab ", "-naïve-目", "'\"$HOME;\\%s{x}", "~", "x" * 150, os.fsdecode(b"no-utf8-\xff"),
    ],
)  # fmt: skip
def test_home_may_have_any_name_that_a_record_can_hold(tmp_path: Path, name: str) -> None:
    mdock = Mdock(tmp_path / name)
    for words in (["demo"], ["run", "demo", "--", "/bin/true"], ["ps"], ["logs", "c1"], ["rm", "c1"], ["rmi", "demo"]):
        result = mdock(*words)
        assert result.returncode == 0, (words, result.stderr)
    assert mdock.check_tables() == ([], [])


@pytest.mark.parametrize("name", ["new\nline", "pi|pe"])
def test_home_whose_name_a_record_cannot_hold_is_refused_before_anything_is_made(tmp_path: Path, name: str) -> None:
    mdock = Mdock(f"{tmp_path}/x/{name}")
    for words in (["demo"], ["build", "demo", str(tmp_path)]):
        result = mdock(*words)
        assert result.returncode == 2, result.stderr
        assert "cannot stand in images.db" in result.stderr and "export MDOCK_HOME=" in result.stderr
    assert os.listdir(tmp_path) == []
    assert mdock("ps").returncode == mdock("images").returncode == 0


def test_relative_home_is_meant_from_the_current_folder(tmp_path: Path) -> None:
    mdock = Mdock(tmp_path / "here/home")
    assert mdock("demo").returncode == 0
    relative = {"MDOCK_HOME": "home"}
    assert mdock("run", "demo", "--", "/bin/sh", "-c", "exit 3", cwd=tmp_path / "here", **relative).returncode == 3
    assert mdock("run", "-d", "demo", "--", "/bin/true", cwd=tmp_path / "here", **relative).stdout == "c2\n"
    assert mdock("wait", "c2").returncode == 0
    assert mdock.check_tables() == (["demo"], ["c1", "c2"])


def test_relative_home_from_a_folder_that_is_gone_says_so(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    before = os.getcwd()
    os.chdir(gone)
    gone.rmdir()
    try:
        with pytest.raises(UsageError, match="was removed"):
            Runtime("home")
    finally:
        os.chdir(before)


def test_nul_in_the_home_is_refused() -> None:
    with pytest.raises(UsageError, match="NUL"):
        Runtime("a\0b")


def test_symlink_to_a_home_is_that_home(tmp_path: Path) -> None:
    real, link = Mdock(tmp_path / "real"), Mdock(tmp_path / "link")
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    assert link("demo").returncode == 0
    assert real("run", "demo", "--", "/bin/true").returncode == 0
    assert link("rm", "c1").returncode == 0
    assert real("rmi", "demo").returncode == 0
    assert os.listdir(f"{real.home.images_dir}") == []


EVERYTHING = [
    ["demo"], ["images"], ["run", "demo"], ["ps"], ["logs", "c1"], ["inspect", "c1"], ["stop", "c1"], ["kill", "c1"],
    ["wait", "c1"], ["rm", "c1"], ["rmi", "demo"], ["exec", "c1", "sh"], ["prune"],
]  # fmt: skip


@pytest.mark.parametrize("words", EVERYTHING, ids=lambda words: words[0])
def test_home_that_cannot_be_a_folder_is_named_and_nothing_is_made(tmp_path: Path, words: list[str]) -> None:
    file, dangling = tmp_path / "file", tmp_path / "dangling"
    file.write_text("mine")
    dangling.symlink_to("/nowhere/at/all")
    for home, said in (
        (file, "is not a folder"),
        (file / "below", "is not a folder"),
        (dangling, "is a symbolic link to /nowhere/at/all, which leads nowhere"),
        (tmp_path / ("n" * 300), "is too long"),
        (f"{tmp_path}/" + "d/" * 2500, "is too long"),
    ):
        result = Mdock(home)(*words)
        told = said in result.stderr and "export MDOCK_HOME=" in result.stderr
        empty = "No images yet" in result.stderr or "not found" in result.stderr or (result.returncode == 0)
        assert told or (home == dangling and empty and words != ["demo"]), (home, result.stderr)
        assert len(result.stderr) < 2000
    assert file.read_text() == "mine" and sorted(os.listdir(tmp_path)) == ["dangling", "file"]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory, demo_rootfs: Path) -> Mdock:
    mdock = Mdock(tmp_path_factory.mktemp("odd") / "home")
    assert mdock("build", "demo", str(demo_rootfs)).returncode == 0
    assert mdock("run", "demo", "--", "/bin/sh", "-c", "echo hello").returncode == 0
    return mdock


def put(kind: str, path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    if kind == "folder":
        path.mkdir()
        (path / "inside").touch()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        path.symlink_to(path.name)


KINDS = ["folder", "pipe", "device", "loop"]
PLACES = ["containers.db", "images.db", "log.txt", "run/lock", "run/highest_id", "containers.db.tmp", "logs/NEXT.log"]
PLACES += ["containers/NEXT", "containers/NEXT/spec.json", "containers/NEXT/steps.json", "logs/c1.log", "containers/c1"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("place", PLACES)
def test_something_else_in_a_files_place_neither_hangs_nor_loses_anything(
    prepared: Mdock, place: str, kind: str, as_root: None
) -> None:
    highest = int(Path(prepared.home.highest_id).read_text())
    path = Path(prepared.home.path) / place.replace("NEXT", f"c{highest + 1}")
    aside = path.with_name(path.name + ".aside")
    if path.exists():
        path.rename(aside)
    put(kind, path)
    try:
        runtime = Runtime(prepared.home.path, forked=True)
        for look in (runtime.ps, runtime.images, lambda: runtime.logs("c1"), lambda: runtime.inspect("c1")):
            with suppress(MdockError):
                look()
        result = prepared("run", "demo", "--", "/bin/sh", "-c", "echo hello; exit 3")
        assert (result.returncode, result.stdout) in ((3, "hello\n"), (125, "")), result
        if result.returncode == 125:
            assert str(path) in result.stderr or path.name in result.stderr, result.stderr
            assert "mv " in result.stderr or "ls -ld" in result.stderr or "is not a folder" in result.stderr
    finally:
        _take_away(path)
        if aside.exists():
            aside.rename(path)
    after = prepared("run", "demo", "--", "/bin/sh", "-c", "exit 4")
    assert (after.returncode, after.stderr) == (4, "")
    images, ids = prepared.check_tables()
    assert images == ["demo"] and ids[0] == "c1" and len(set(ids)) == len(ids)
    assert Runtime(prepared.home.path, forked=True).logs("c1") == b"hello\n"


def _take_away(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        for inner in path.iterdir():
            inner.unlink()
        path.rmdir()
    else:
        path.unlink(missing_ok=True)


def test_from_python_too_every_refusal_is_an_mdock_error(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home/containers.db").mkdir()
    (tmp_path / "home/images.db").mkdir()
    runtime = Runtime(tmp_path / "home", forked=True)
    for look in (runtime.ps, runtime.images, runtime.prune, runtime.demo, lambda: runtime.logs("c1")):
        with pytest.raises(MdockError) as caught:
            look()
        assert "mv " in caught.value.hint
