"""Images as they are built, exchanged and removed: nothing half-made is ever seen."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from trees import small_tree, snapshot

from udock_lab.errors import Conflict, MdockError, NotFound, StorageError, UsageError
from udock_lab.runtime.image.build import build_image, remove_image
from udock_lab.runtime.state import images
from udock_lab.runtime.state.home import Home, storage_error
from udock_lab.runtime.state.images import (
    find_image_by_name,
    format_image_line,
    list_images,
)
from udock_lab.runtime.state.lock import locked
from udock_lab.runtime.state.removal import remove_tree

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs privilege: root owns, mounts and makes device nodes")
STAMP = "2025-11-24T02:30:00"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home")
    made.create()
    return made


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return small_tree(tmp_path / "source")


def remove(home: Home, name: str, users: list[str] | None = None) -> None:
    with locked(home):
        remove_image(home, name, users or [])


def test_build_records_the_image_and_leaves_nothing_else(home: Home, tree: Path) -> None:
    image = build_image(home, "demo", tree)
    assert Path(home.images_db).read_bytes() == format_image_line(image)
    assert image.rootfs == home.image_rootfs("demo")
    assert snapshot(Path(image.rootfs)) == snapshot(tree)
    assert os.listdir(home.images_dir) == ["demo"]
    assert find_image_by_name(home.images_db, "demo") == image


def test_an_existing_name_is_a_conflict_unless_forced(home: Home, tree: Path) -> None:
    build_image(home, "other", tree)
    build_image(home, "demo", tree)
    build_image(home, "last", tree)
    with pytest.raises(Conflict) as caught:
        build_image(home, "demo", tree)
    assert "--force" in caught.value.hint
    (tree / "new").write_text("new")
    inode = os.stat(f"{home.images_dir}/demo").st_ino
    with open(f"{home.image_rootfs('demo')}/etc/motd") as held:
        build_image(home, "demo", tree, force=True)
        assert held.read() == "hello"
    assert Path(home.image_rootfs("demo"), "new").exists()
    assert os.stat(f"{home.images_dir}/demo").st_ino != inode
    assert [image.name for image in list_images(home.images_db)[0]] == ["other", "demo", "last"]
    assert sorted(os.listdir(home.images_dir)) == ["demo", "last", "other"]


def test_a_bad_source_leaves_nothing(home: Home, tree: Path) -> None:
    with pytest.raises(NotFound):
        build_image(home, "demo", tree / "nothing")
    with pytest.raises(UsageError, match="not a directory"):
        build_image(home, "demo", tree / "bin/sh")
    assert os.listdir(home.images_dir) == []
    assert not os.path.exists(home.images_db)


def test_a_line_that_cannot_be_written_takes_the_files_back(home: Home, tree: Path) -> None:
    build_image(home, "demo", tree)
    (tree / "new").write_text("new")
    os.mkdir(f"{home.images_db}.d")
    os.rename(home.images_db, f"{home.images_db}.saved")
    with pytest.raises(StorageError):
        os.mkdir(home.images_db)
        build_image(home, "demo", tree, force=True)
    os.rmdir(home.images_db)
    os.rename(f"{home.images_db}.saved", home.images_db)
    assert not Path(home.image_rootfs("demo"), "new").exists()
    assert os.listdir(home.images_dir) == ["demo"]


def test_a_killed_builder_leaves_nothing_visible_and_the_next_build_cleans_up(home: Home, tree: Path) -> None:
    code = (
        "import os, sys; sys.path.insert(0, sys.argv[1])\n"
        "from udock_lab.runtime.state.home import Home; from udock_lab.runtime.image.build import build_image\n"
        "build_image(Home(sys.argv[2]), 'half', sys.argv[3], progress=lambda *a: os.kill(os.getpid(), 9))"
    )
    package = str(Path(images.__file__).parents[3])
    subprocess.run([sys.executable, "-c", code, package, home.path, str(tree)], check=False)
    (left,) = os.listdir(home.images_dir)
    assert left.endswith(".partial")
    assert list_images(home.images_db) == ([], [])
    build_image(home, "demo", tree)
    assert os.listdir(home.images_dir) == ["demo"]


def test_a_leftover_is_removed_though_its_builders_pid_lives_again(
    home: Home, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = Path(home.images_dir, f".half.{os.getpid()}.00000000.partial")
    left.mkdir()
    build_image(home, "demo", tree)
    assert left.exists(), "its builder may be about to lock it"
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 120)
    build_image(home, "other", tree)
    assert not left.exists()


def test_the_hint_for_a_taken_name_can_be_pasted(home: Home, tmp_path: Path) -> None:
    source = tmp_path / "my tree"
    source.mkdir()
    build_image(home, "demo", source)
    with pytest.raises(Conflict) as caught:
        build_image(home, "demo", source)
    assert f"mdock build --force demo '{source}'" in caught.value.hint


def test_a_current_folder_that_was_removed_is_named_as_the_cause(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with pytest.raises(UsageError) as caught:
        build_image(home, "demo", "tree")
    assert "removed" in caught.value.message and "cd" in caught.value.hint


def test_an_empty_source_is_not_the_folder_one_stands_in(home: Home) -> None:
    with pytest.raises(UsageError):
        build_image(home, "demo", "")
    assert os.listdir(home.images_dir) == []


def test_simultaneous_builds_of_one_name_make_one_image(home: Home, tree: Path) -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from udock_lab.errors import Conflict\n"
        "from udock_lab.runtime.state.home import Home; from udock_lab.runtime.image.build import build_image\n"
        "try: build_image(Home(sys.argv[2]), 'demo', sys.argv[3])\n"
        "except Conflict: sys.exit(3)"
    )
    package = str(Path(images.__file__).parents[3])
    builders = [
        subprocess.Popen([sys.executable, "-c", code, package, home.path, str(tree)], stderr=subprocess.PIPE)
        for _ in range(6)
    ]
    codes = sorted(builder.wait() for builder in builders)
    for builder in builders:
        assert builder.stderr is not None
        builder.stderr.close()
    assert codes == [0, 3, 3, 3, 3, 3]
    assert os.listdir(home.images_dir) == ["demo"]
    assert len(Path(home.images_db).read_bytes().splitlines()) == 1


def test_remove_takes_record_and_files_even_where_folders_are_not_writable(home: Home, tree: Path) -> None:
    (tree / "etc").chmod(0o555)
    (tree / "bin").chmod(0o000)
    try:
        build_image(home, "demo", tree) if os.geteuid() == 0 else pytest.skip(
            "needs privilege: the folder cannot be read"
        )
    finally:
        (tree / "bin").chmod(0o755)
    remove(home, "demo")
    assert os.listdir(home.images_dir) == []
    assert Path(home.images_db).read_bytes() == b""
    with pytest.raises(NotFound):
        remove(home, "demo")


def test_an_image_in_use_is_not_removed_and_the_users_are_listed(home: Home, tree: Path) -> None:
    build_image(home, "demo", tree)
    with pytest.raises(Conflict, match="c1, c4"):
        remove(home, "demo", ["c1", "c4"])
    assert find_image_by_name(home.images_db, "demo")


def test_removal_follows_no_symlink_and_leaves_foreign_folders_alone(home: Home, tree: Path) -> None:
    (tree.parent / "link").symlink_to(tree)
    source = tree.parent / "withlink"
    source.mkdir()
    (source / "outside").symlink_to(tree)
    build_image(home, "links", source)
    remove(home, "links")
    Path(home.images_db).write_bytes(f"foreign|{tree}|{STAMP}\nup|{home.images_dir}/up/../../x|{STAMP}\n".encode())
    remove(home, "foreign")
    remove(home, "up")
    os.symlink(tree, f"{home.images_dir}/sym")
    Path(home.images_db).write_bytes(f"sym|{home.images_dir}/sym/rootfs|{STAMP}\n".encode())
    remove(home, "sym")
    assert (tree / "etc/motd").read_text() == "hello"
    assert os.listdir(home.images_dir) == []


@needs_root
def test_a_mount_inside_an_image_stops_its_removal(home: Home, tree: Path) -> None:
    build_image(home, "demo", tree)
    inside = f"{home.image_rootfs('demo')}/etc"
    if subprocess.run(["mount", "--bind", str(tree), inside], capture_output=True, check=False).returncode:
        pytest.skip("needs privilege: mount is not permitted here")
    try:
        with pytest.raises(Conflict, match="mounted"):
            remove(home, "demo")
        assert find_image_by_name(home.images_db, "demo")
        with pytest.raises(MdockError):
            remove_tree(home.images_dir)
    finally:
        subprocess.run(["umount", inside], check=True)
    assert (tree / "etc/motd").exists()


@needs_root
def test_a_home_that_sudo_made_is_named_and_not_a_file_in_it(home: Home) -> None:
    os.chown(home.path, 65534, 65534)
    refusal = PermissionError(errno.EACCES, "Permission denied", home.lock)
    said = str(storage_error(refusal, home.path))
    assert f"The mdock home {home.path} belongs to " in said
    assert f"chown -R $(id -u) {home.path}" in said
