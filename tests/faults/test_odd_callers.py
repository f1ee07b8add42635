"""Callers whose umask, HOME or words are odd: mdock works, or says in a sentence what is in its way."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hostile import NOBODY, Mdock


@pytest.fixture
def mdock(tmp_path: Path, demo_rootfs: Path) -> Mdock:
    program = Mdock(tmp_path / ".mdock")
    assert program("build", "demo", str(demo_rootfs)).returncode == 0
    return program


@pytest.mark.parametrize("mask", [0o777, 0o177, 0o277, 0o077])
def test_a_umask_that_shuts_out_its_own_user_does_not_shut_mdock_out(
    open_place: Path, demo_rootfs: Path, mask: int
) -> None:
    place = open_place / "place"
    place.mkdir()
    os.chown(place, NOBODY, NOBODY)
    tree = open_place / "tree"
    (tree / "bin").mkdir(parents=True)
    (tree / "bin/sh").write_bytes((demo_rootfs / "bin/sh").read_bytes())
    mdock, old = Mdock(place / ".mdock"), os.umask(mask)
    try:
        for words, code in [
            (["build", "x", str(tree)], 0),
            (["run", "x", "/bin/nothing"], 127),
            (["run", "--copy", "x", "/bin/nothing"], 127),
            (["prune"], 0),
            (["rmi", "x"], 0),
        ]:
            result = mdock(*words, user=NOBODY)
            assert result.returncode == code, (words, result.stderr)
    finally:
        os.umask(old)


@pytest.mark.parametrize("home", ["/proc", "/proc/none/here", "/dev/null", "/dev/null/here"])
def test_a_home_where_nobody_can_make_a_folder_is_named(mdock: Mdock, home: str) -> None:
    for words, code in [(["build", "x", "/etc"], 1), (["demo"], 1), (["run", "demo", "true"], 125), (["ps"], None)]:
        result = mdock(*words, HOME=home)
        assert code in (None, result.returncode), (words, result.stderr)
        assert "mdock itself" not in result.stderr


def test_a_program_is_found_in_the_working_directory_where_path_says_so(mdock: Mdock) -> None:
    words = ["demo", "sh", "-c", "printf '#!/bin/sh\\necho mine' > /tmp/mine; chmod +x /tmp/mine"]
    assert mdock("run", *words).returncode == 0
    for path in (":/bin", "/bin:", "/bin::/sbin", ""):
        assert mdock("run", "-w", "/tmp", "-e", f"PATH={path}", "demo", "mine").stdout == "mine\n", path
    result = mdock("run", "-w", "/tmp", "-e", "PATH=:/bin", "demo", "missing")
    assert result.returncode == 127 and "no program 'missing' in /tmp, /bin." in result.stderr
    assert mdock("run", "-w", "/tmp", "demo", "mine").returncode == 127


@pytest.mark.parametrize("name", ["x" * 100_000, "/bin/" + "y" * 100_000])
def test_the_sentence_about_a_program_is_short_however_long_its_name(mdock: Mdock, name: str) -> None:
    result = mdock("run", "demo", name)
    assert result.returncode == 126 and "File name too long" in result.stderr
    assert len(result.stderr) < 1000
