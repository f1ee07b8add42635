"""Trees in which others work while mdock copies or removes them, and signals that come in the middle of it.

SIGSTOP holds mdock still in the middle of its work, so that what the others do comes at no other time.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hostile import Mdock, eventually

FOLDERS, FILES = 40, 250


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A tree that takes a while: folders of empty files, and one shell."""
    top = tmp_path / "large"
    (top / "bin").mkdir(parents=True)
    (top / "bin/sh").write_text("a shell")
    for number in range(FOLDERS):
        folder = top / f"d{number}"
        folder.mkdir()
        for file in range(FILES):
            (folder / f"f{file}").touch()
    return top


@pytest.fixture
def mdock(tmp_path: Path) -> Mdock:
    return Mdock(tmp_path / ".mdock")


def caught_in(mdock: Mdock, words: list[str], sign: str, before: str = "") -> subprocess.Popen[str]:
    """mdock, stopped in the middle of its work: as soon as there is a file in its home that ``sign`` matches."""
    program = [sys.executable, "-m", "udock_lab.cli", *words]
    process = subprocess.Popen(
        ["sh", "-c", f'{before}exec "$@"', "sh", *program], env=mdock.env, stderr=subprocess.PIPE, text=True
    )
    eventually(lambda: any(Path(mdock.home.path).glob(sign)) or process.poll() is not None)
    assert process.poll() is None, "it was done before it could be stopped"
    process.send_signal(signal.SIGSTOP)
    return process


def end_of(process: subprocess.Popen[str]) -> tuple[int, str]:
    process.send_signal(signal.SIGCONT)
    _, said = process.communicate(timeout=60)
    return process.returncode, said


def left_over(mdock: Mdock) -> list[str]:
    """What no table mentions: half copies and half removed images."""
    names = os.listdir(mdock.home.images_dir) + os.listdir(mdock.home.run_dir)
    return [name for name in names if name.startswith((".", "copy-", "kept-"))]


def test_what_is_removed_while_it_is_built_from_is_left_out_and_the_rest_is_an_image(mdock: Mdock, large: Path) -> None:
    build = caught_in(mdock, ["build", "x", str(large)], "images/.x.*/rootfs/d*/f*")
    for folder in large.glob("d*"):
        shutil.rmtree(folder)
    code, said = end_of(build)
    assert (code, "removed while the tree was copied" in said) == (0, True), said
    image = Path(mdock.home.image_rootfs("x"))
    assert (image / "bin/sh").read_text() == "a shell"
    assert len(list(image.glob("d*/*"))) < FOLDERS * FILES
    assert left_over(mdock) == []


def test_a_private_copy_is_made_though_another_container_removes_files_of_the_image(mdock: Mdock, large: Path) -> None:
    assert mdock("build", "x", str(large)).returncode == 0
    run = caught_in(mdock, ["run", "--copy", "x", "/bin/nothing"], "run/copy-*/rootfs/d*/f*")
    for folder in Path(mdock.home.image_rootfs("x")).glob("d*"):
        shutil.rmtree(folder)
    code, said = end_of(run)
    assert code == 127, said  # the program is missing; the copy is not


def test_a_removal_goes_on_where_somebody_else_removes_too(mdock: Mdock, large: Path) -> None:
    assert mdock("build", "x", str(large)).returncode == 0
    rmi = caught_in(mdock, ["rmi", "x"], "images/.x.*")
    for file in Path(mdock.home.images_dir).glob(".x.*/rootfs/d*/f*"):
        if int(file.name[1:]) % 2:
            file.unlink()
    for folder in Path(mdock.home.images_dir).glob(".x.*/rootfs/d*5"):
        shutil.rmtree(folder)
    code, said = end_of(rmi)
    assert (code, left_over(mdock)) == (0, []), said


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
@pytest.mark.parametrize(
    ("words", "sign"),
    [
        (["build", "x"], "images/.x.*/rootfs/d*/f*"),
        (["build", "--force", "x"], "images/.x.*/rootfs/d*/f*"),
        (["run", "--copy", "large", "/bin/nothing"], "run/copy-*/rootfs/d*/f*"),
    ],
    ids=["build", "build --force", "run --copy"],
)
def test_a_signal_in_the_middle_of_a_copy_leaves_nothing_of_it(
    mdock: Mdock, large: Path, words: list[str], sign: str, number: int
) -> None:
    assert mdock("build", "large", str(large)).returncode == 0
    copying = caught_in(mdock, [*words, str(large)] if words[0] == "build" else words, sign)
    copying.send_signal(number)
    code, said = end_of(copying)
    assert code in (-number, 128 + number), said  # as a shell tells both
    assert left_over(mdock) == [] and mdock.check_tables() == (["large"], [])


def test_a_build_that_nohup_started_does_not_end_with_its_terminal(mdock: Mdock, large: Path) -> None:
    build = caught_in(mdock, ["build", "x", str(large)], "images/.x.*/rootfs/d*/f*", before="trap '' HUP; ")
    build.send_signal(signal.SIGHUP)
    assert end_of(build)[0] == 0
