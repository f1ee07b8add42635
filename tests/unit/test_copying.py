"""Copies of trees: the same in every respect, or a note says what is not."""

from __future__ import annotations

import os
import shutil
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from trees import small_tree, snapshot

from udock_lab.errors import Conflict, UsageError
from udock_lab.runtime.image.build import build_image
from udock_lab.runtime.image.copying import copy_tree
from udock_lab.runtime.state import images
from udock_lab.runtime.state.home import Home
from udock_lab.runtime.state.removal import remove_tree

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs privilege: root owns, mounts and makes device nodes")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return small_tree(tmp_path / "source")


def test_a_copy_is_the_same_in_every_respect(tree: Path, tmp_path: Path) -> None:
    (tree / "abs").symlink_to("/etc/motd")
    (tree / "dangling").symlink_to("../no/where")
    (tree / "loop").symlink_to("loop")
    os.mkfifo(tree / "fifo", 0o640)
    (tree / "suid").write_bytes(b"x" * 300_000)
    (tree / "suid").chmod(0o4755)
    (tree / "tmp").mkdir()
    (tree / "tmp").chmod(0o1777)
    (tree / "readonly").mkdir()
    (tree / "readonly/file").write_text("in there")
    (tree / "readonly").chmod(0o555)
    (tree / "strange \n\udcff name").write_text("")
    for path in ("etc/motd", "etc", "bin", "tmp"):
        os.utime(tree / path, ns=(1_234_567_890_123_456_789, 987_654_321_123_456_789))
    os.utime(tree / "abs", ns=(1, 1_111_111_111_111_111_111), follow_symlinks=False)
    stats = copy_tree(tree, tmp_path / "copy")
    assert snapshot(tmp_path / "copy") == snapshot(tree)
    assert (stats.files, stats.symlinks, stats.special, stats.directories) == (5, 3, 1, 5)
    (tree / "readonly").chmod(0o755)


def test_hard_links_stay_one_file(tree: Path, tmp_path: Path) -> None:
    os.link(tree / "bin/sh", tree / "bin/dash")
    os.link(tree / "bin/sh", tree / "etc/sh")
    stats = copy_tree(tree, tmp_path / "copy")
    inodes = {os.stat(tmp_path / "copy" / name).st_ino for name in ("bin/sh", "bin/dash", "etc/sh")}
    assert len(inodes) == 1
    assert os.stat(tmp_path / "copy/bin/sh").st_nlink == 3
    assert (stats.files, stats.hard_links) == (2, 2)


def test_holes_stay_holes(tree: Path, tmp_path: Path) -> None:
    with open(tree / "sparse", "wb") as file:
        file.seek(50 << 20)
        file.write(b"middle")
        file.truncate(200 << 20)
    with open(tree / "allhole", "wb") as file:
        file.truncate(1 << 20)
    if os.stat(tree / "sparse").st_blocks * 512 > 1 << 20:
        pytest.skip("needs privilege: this file system has no sparse files")
    copy_tree(tree, tmp_path / "copy")
    info = os.stat(tmp_path / "copy/sparse")
    assert info.st_size == 200 << 20
    assert info.st_blocks * 512 < 1 << 20
    with open(tmp_path / "copy/sparse", "rb") as file:
        file.seek((50 << 20) - 1)
        assert file.read(8) == b"\0middle\0"


def test_extended_attributes_are_kept(tree: Path, tmp_path: Path) -> None:
    try:
        os.setxattr(tree / "etc/motd", "user.lesson", b"four")
    except OSError:
        pytest.skip("needs privilege: this file system has no user attributes")
    copy_tree(tree, tmp_path / "copy")
    assert os.getxattr(tmp_path / "copy/etc/motd", "user.lesson") == b"four"


@needs_root
def test_device_nodes_and_owners_are_kept(tree: Path, tmp_path: Path) -> None:
    if os.statvfs(tmp_path).f_flag & os.ST_NODEV:
        pytest.skip("needs privilege: the tests' folder is mounted with nodev")
    os.mknod(tree / "null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    os.chown(tree / "etc/motd", 1234, 5678)
    copy_tree(tree, tmp_path / "copy")
    assert snapshot(tmp_path / "copy") == snapshot(tree)


@needs_root
def test_where_devices_cannot_be_opened_null_is_a_file_and_the_note_says_why(tmp_path: Path, demo_rootfs: Path) -> None:
    """A home on a file system that is mounted with nodev, as /home and Debian 13's /tmp may be."""
    (tmp_path / "user").mkdir()
    source = shutil.copytree(demo_rootfs, tmp_path / "tree", symlinks=True, ignore=shutil.ignore_patterns("dev"))
    (Path(source) / "dev").mkdir()
    for name, minor in (("null", 3), ("zero", 5)):
        os.mknod(Path(source) / "dev" / name, stat.S_IFCHR | 0o666, os.makedev(1, minor))
    story = """
        mount -t tmpfs -o nodev tmpfs "$HOME" || exit 77
        "$0" -m udock_lab.cli build demo "$1"
        "$0" -m udock_lab.cli run demo sh -c 'sleep 0 & wait $!; echo ended $?; ls /dev; cat /dev/null'
    """
    command = ["unshare", "--mount", "--propagation", "private", "sh", "-c", story, sys.executable, str(source)]
    environment = os.environ | {"HOME": str(tmp_path / "user")}
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL
    )
    if done.returncode == 77 or "unshare:" in done.stderr:
        pytest.skip(f"needs privilege: a mount: {done.stderr}")
    assert done.stdout.endswith("ended 0\nnull\n"), done.stdout + done.stderr
    said = " ".join((done.stdout + done.stderr).split())
    assert "No device nodes (/dev/null, /dev/zero): this file system is mounted with nodev." in said
    assert "/dev/null is an ordinary file here" in said


def test_a_socket_is_skipped_with_a_note(tree: Path, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tree / "sock"))
        stats = copy_tree(tree, tmp_path / "copy")
    assert not (tmp_path / "copy/sock").exists()
    assert stats.notes == ("/sock is a socket and was skipped.",)


def test_a_tree_deeper_than_recursion_and_path_limits_is_copied_and_removed(tmp_path: Path) -> None:
    depth = 1500
    top = tmp_path / "source"
    top.mkdir()
    fd = os.open(top, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir("abcdef", dir_fd=fd)
        inner = os.open("abcdef", os.O_RDONLY, dir_fd=fd)
        os.close(fd)
        fd = inner
    os.close(os.open("bottom", os.O_CREAT | os.O_WRONLY, dir_fd=fd))
    os.close(fd)
    stats = copy_tree(top, tmp_path / "copy")
    assert (stats.directories, stats.files) == (depth + 1, 1)
    for folder in (top, tmp_path / "copy"):
        remove_tree(folder)
        assert not folder.exists()


def test_a_directory_is_not_copied_into_itself(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tree)
    for target in (tree, tree / "copy", tree / "bin/copy", tmp_path / "link/copy"):
        with pytest.raises((UsageError, Conflict)):
            copy_tree(tree, target)
    assert not (tree / "copy").exists()
    inner = Home(tree / "home")
    with pytest.raises(UsageError, match="into itself"):
        build_image(inner, "demo", tree)


def test_progress_is_told_and_ends_with_the_totals(tree: Path, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    stats = copy_tree(tree, tmp_path / "copy", lambda files, size: told.append((files, size)))
    assert told[-1] == (stats.files, stats.bytes) == (2, 10)


def test_an_interrupted_copy_leaves_nothing(tree: Path, tmp_path: Path) -> None:
    def stop(_files: int, _size: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copy_tree(tree, tmp_path / "copy", stop)
    assert not (tmp_path / "copy").exists()


_AS_NOBODY = """
import os, sys
sys.path.insert(0, sys.argv[3])
from udock_lab.errors import StorageError
from udock_lab.linux import filesystems  # before: this Python may lie where nobody reaches it
from udock_lab.runtime.image.copying import copy_tree
os.setgroups([]); os.setgid(65534); os.setuid(65534)
try:
    stats = copy_tree(sys.argv[1], sys.argv[2])
    print(*stats.notes, sep="\\n")
except StorageError as error:
    print("refused:", error.message)
print(os.path.exists(sys.argv[2]))
"""


def as_nobody(tree: Path, target: Path) -> str:
    package = str(Path(images.__file__).parents[3])
    return subprocess.run(
        [sys.executable, "-c", _AS_NOBODY, str(tree), str(target), package], capture_output=True, text=True, check=True
    ).stdout


def test_an_unreadable_file_is_named_and_nothing_is_left(tree: Path, open_folder: Path) -> None:
    (tree / "secret").write_text("x")
    (tree / "secret").chmod(0o600)
    said = as_nobody(tree, open_folder / "copy")
    assert f"refused: {tree}/secret cannot be copied: Permission denied." in said
    assert said.endswith("False\n")


def test_an_ordinary_user_keeps_what_is_permitted_and_is_told_the_rest(tree: Path, open_folder: Path) -> None:
    os.mknod(tree / "null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    (tree / "bin/su").write_text("x")
    (tree / "bin/su").chmod(0o4755)
    (tree / "shut").mkdir()
    (tree / "shut").chmod(0o444)
    said = as_nobody(tree, open_folder / "copy")
    assert "No device nodes (/null): mknod needs root" in said
    assert "/null is an ordinary file here" in said and (open_folder / "copy/null").read_bytes() == b""
    assert "setuid" in said
    assert said.endswith("True\n")
    assert stat.S_IMODE(os.stat(open_folder / "copy/bin/su").st_mode) == 0o755
    assert stat.S_IMODE(os.stat(open_folder / "copy/shut").st_mode) == 0o444
