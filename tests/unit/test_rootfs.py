"""A root file system is only good if its programs start inside a real chroot."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from chrooting import CHROOT, WORKS, needs_chroot

import udock_lab
from udock_lab.errors import Conflict, NotFound, Unsupported, UsageError
from udock_lab.linux.elf import inspect_elf, libraries
from udock_lab.linux.resolve import resolve_in_root
from udock_lab.runtime.image.rootfs import make_rootfs

TEN = ("ls", "cat", "grep", "sed", "awk", "sort", "find", "tar", "bash", "env")


@pytest.fixture(params=["busybox", "host"])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "busybox":
        try:
            make_rootfs(tmp_path / "probe", source="busybox")
        except Unsupported:
            pytest.skip("needs privilege: a static busybox is installed by whoever may")
    return str(request.param)


def inside(root: Path, script: str) -> str:
    done = subprocess.run(
        [*CHROOT, str(root), "/bin/sh", "-c", script],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@needs_chroot
def test_the_shell_and_the_usual_programs_start_in_a_chroot(tmp_path: Path, source: str) -> None:
    report = make_rootfs(tmp_path / "root", source=source)
    root = tmp_path / "root"
    assert report.source == source
    assert {"sh", "ls", "cat", "echo", "sleep", "true", "false", "ps", "env", "id"} <= set(report.programs)
    assert inside(root, "echo $((6*7))") == "42\n"
    assert inside(root, "cat /etc/hostname; id -u; ls /").startswith("mdock-demo\n0\n")
    assert "Hello" in inside(root, "/root/hello.sh")
    assert inside(root, "sleep 0; true; env true; ! false; ls /nothing 2>/dev/null || echo none") == "none\n"
    assert stat.S_ISCHR(os.stat(root / "dev/null").st_mode) == (os.geteuid() == 0)


@needs_chroot
def test_ten_programs_of_the_host_start(tmp_path: Path, source: str) -> None:
    here = [name for name in TEN if shutil.which(name)]
    report = make_rootfs(tmp_path / "root", here, source=source)
    assert set(here) <= set(report.programs)
    for name in here:  # not by way of the shell: busybox's prefers its own applets to what is in PATH
        words = ["awk", "BEGIN{}"] if name == "awk" else [name, "--version"]
        done = subprocess.run([*CHROOT, str(tmp_path / "root"), *words], capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (0, b"")


def test_every_loader_and_library_is_inside(tmp_path: Path) -> None:
    root = tmp_path / "root"
    report = make_rootfs(root, source="host")
    checked = 0
    for name in report.programs:
        for folder in ("/bin", "/usr/bin", "/usr/sbin"):
            try:
                host = resolve_in_root(str(root), f"{folder}/{name}")
            except OSError:
                continue
            info = inspect_elf(host)
            if info is not None and info.interpreter:
                resolve_in_root(str(root), info.interpreter)
                assert libraries(host, str(root)).missing == ()
                checked += 1
            break
    assert checked >= 5


def test_merged_usr_is_reproduced(tmp_path: Path) -> None:
    make_rootfs(tmp_path / "root", source="host")
    for name in ("bin", "lib", "sbin"):
        assert os.path.islink(tmp_path / "root" / name) == os.path.islink(f"/{name}")


def test_the_folders_have_their_modes(tmp_path: Path, source: str) -> None:
    before = os.umask(0o077)
    try:
        make_rootfs(tmp_path / "root", source=source)
    finally:
        os.umask(before)
    modes = {
        name: stat.S_IMODE(os.stat(tmp_path / "root" / name).st_mode) for name in ("tmp", "etc", "root", "usr/bin")
    }
    assert modes == {"tmp": 0o1777, "etc": 0o755, "root": 0o700, "usr/bin": 0o755}
    assert (tmp_path / "root/etc/passwd").read_text().startswith("root:x:0:0:")


@needs_chroot
def test_a_script_brings_its_interpreter(tmp_path: Path, source: str) -> None:
    script = tmp_path / "greet"
    script.write_text("#!/usr/bin/env bash\necho from $BASH\n")
    script.chmod(0o755)
    if not shutil.which("bash"):
        pytest.skip("needs privilege: bash is installed by whoever may")
    make_rootfs(tmp_path / "root", [str(script)], source=source)
    assert inside(tmp_path / "root", str(script)).startswith("from /")


@pytest.mark.skipif(not shutil.which("perl", path="/usr/bin"), reason="needs privilege: perl is installed by root")
def test_a_language_whose_library_is_not_copied_is_named_with_the_command_that_copies_it(tmp_path: Path) -> None:
    report = make_rootfs(tmp_path / "root", ["/usr/bin/perl"])
    note = next(note for note in report.notes if note.startswith("perl reads a library"))
    subprocess.run(note.partition("Copy it with: ")[2], shell=True, check=True)
    assert not any("perl" in note for note in make_rootfs(tmp_path / "root", ["perl"]).notes)
    if WORKS:
        words = [
            *CHROOT,
            str(tmp_path / "root"),
            "/usr/bin/perl",
            "-Mstrict",
            "-MPOSIX",
            "-e",
            "print POSIX::floor(7.5)",
        ]
        assert subprocess.run(words, capture_output=True, check=False, env={"PATH": os.environ["PATH"]}).stdout == b"7"


def test_a_program_outside_the_path_is_said_to_be_there(tmp_path: Path) -> None:
    script = tmp_path / "mine"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    notes = make_rootfs(tmp_path / "root", [str(script)]).notes
    assert any(str(script) in note and "PATH" in note for note in notes)


def test_a_folder_is_no_program(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="is a folder"):
        make_rootfs(tmp_path / "root", ["/bin"])


def test_an_unknown_program_is_refused_with_the_nearest_name_before_anything_is_made(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="grpe") as caught:
        make_rootfs(tmp_path / "root", ["grpe"])
    assert "Did you mean" in caught.value.hint
    with pytest.raises(NotFound):
        make_rootfs(tmp_path / "root", ["/bin/nothing-of-that-name"])
    assert not (tmp_path / "root").exists()
    with pytest.raises(UsageError):
        make_rootfs(tmp_path / "root", [""])
    with pytest.raises(UsageError):
        make_rootfs(tmp_path / "root", source="debian")


def test_a_folder_with_other_things_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("precious")
    with pytest.raises(Conflict, match="not empty"):
        make_rootfs(tmp_path)
    with pytest.raises(Conflict, match="is a file"):
        make_rootfs(tmp_path / "mine")
    assert os.listdir(tmp_path) == ["mine"]


def test_making_it_again_completes_it_and_keeps_changes(tmp_path: Path, source: str) -> None:
    root = tmp_path / "root"
    make_rootfs(root, source=source)
    (root / "etc/motd").write_text("changed")
    (root / "usr/bin/env").unlink()
    report = make_rootfs(root, ["ls"], source=source)
    assert (root / "etc/motd").read_text() == "changed"
    assert os.path.lexists(root / "usr/bin/env")
    assert "ls" in report.programs


def test_a_symlink_planted_inside_leads_nowhere_outside(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    make_rootfs(root, source="host")
    outside.mkdir()
    (root / "etc/motd").unlink()
    os.rename(root / "etc", root / "old")
    (root / "etc").symlink_to(outside)
    (root / str(outside).lstrip("/")).mkdir(parents=True)
    shutil.copy(root / "old/mdock-rootfs", outside)
    make_rootfs(root, source="host")
    assert os.listdir(outside) == ["mdock-rootfs"]


def test_an_interrupted_attempt_is_completed_by_the_next(tmp_path: Path, source: str) -> None:
    def die(line: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_rootfs(tmp_path / "root", source=source, log=die)
    report = make_rootfs(tmp_path / "root", source=source)
    assert "ls" in report.programs


def test_an_empty_name_is_not_the_folder_one_stands_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError):
        make_rootfs("")
    assert os.listdir(tmp_path) == []


def test_a_folder_is_not_taken_for_a_program(tmp_path: Path) -> None:
    with pytest.raises(NotFound) as caught:
        make_rootfs(tmp_path / "root", ["/etc"])
    assert "folder" in caught.value.message


def test_the_nearest_common_program_is_suggested_first(tmp_path: Path) -> None:
    with pytest.raises(NotFound) as caught:
        make_rootfs(tmp_path / "root", ["lss"])
    assert "'ls'" in caught.value.hint


def test_progress_is_logged(tmp_path: Path, source: str) -> None:
    said: list[str] = []
    make_rootfs(tmp_path / "root", ["ls"], source=source, log=said.append)
    assert any(line.startswith("ls, from ") for line in said)


def test_without_the_right_to_make_nodes_dev_null_is_an_empty_file_and_a_note_says_so(tmp_path: Path) -> None:
    without = ["setpriv", "--bounding-set=-mknod"] if os.geteuid() == 0 else []
    if without and not shutil.which("setpriv"):
        pytest.skip("needs privilege: setpriv is installed by whoever may")
    code = (
        "import sys; sys.path[:0] = sys.argv[2:]\n"
        "from udock_lab.runtime.image.rootfs import make_rootfs\n"
        "print(*make_rootfs(sys.argv[1], source='host').notes)"
    )
    package = str(Path(udock_lab.__file__).parents[1])
    for _ in range(2):  # made again it stays what it is
        command = [*without, sys.executable, "-c", code, str(tmp_path / "root"), package]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert "/dev/null is an ordinary file" in done.stdout
        assert (tmp_path / "root/dev/null").is_file()
        assert (tmp_path / "root/dev/null").read_bytes() == b""
