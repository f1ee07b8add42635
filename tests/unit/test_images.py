"""Images: names, lines, look-up, faithful copies, atomic builds, removal."""

from __future__ import annotations

import errno
import os
import shutil
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opening import opened

from udock_lab.errors import Conflict, MdockError, NotFound, StorageError, UsageError
from udock_lab.model import Image
from udock_lab.runtime.image.build import build_image, remove_image
from udock_lab.runtime.image.copying import copy_tree
from udock_lab.runtime.state import images, tables
from udock_lab.runtime.state.home import Home, storage_error
from udock_lab.runtime.state.images import (
    check_image_name,
    find_image_by_name,
    format_image_line,
    list_images,
    parse_image_line,
)
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
    top = tmp_path / "source"
    (top / "bin").mkdir(parents=True)
    (top / "bin/sh").write_bytes(b"shell")
    (top / "bin/sh").chmod(0o755)
    (top / "etc").mkdir()
    (top / "etc/motd").write_text("hello")
    return top


def remove(home: Home, name: str, users: list[str] | None = None) -> None:
    with tables.locked(home):
        remove_image(home, name, users or [])


# -- names and lines


@pytest.mark.parametrize("name", ["a", "demo", "Demo-2_x", "a" * 64, "c", "c7x", "cc7"])
def test_a_good_name_is_taken(name: str) -> None:
    assert check_image_name(name) == name


@pytest.mark.parametrize(
    "name",
    ["", "7a", "_a", "-a", "a" * 65, "a|b", "a\nb", "a\n", "..", "a/../b", "a\0b", "é", "dé", "a٣", "a.b", "a b", "c7"],
)
def test_a_bad_name_is_refused_with_the_rule_and_an_example(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_image_name(name)
    assert "64 characters" in caught.value.hint
    assert "demo" in caught.value.hint


_NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{0,63}", fullmatch=True)
_PATHS = st.text(st.characters(blacklist_characters="|\n\0", codec="utf-8"), min_size=1).filter(
    lambda text: text == text.strip()
)


@given(_NAMES, _PATHS)
def test_a_line_reads_back_as_it_was_written(name: str, rootfs: str) -> None:
    image = Image(name=name, rootfs=rootfs, created=STAMP)
    line = format_image_line(image)
    assert line.count(b"\n") == 1
    assert parse_image_line(line) == image


@given(st.binary())
def test_no_bytes_make_the_parser_fail(line: bytes) -> None:
    image = parse_image_line(line)
    assert image is None or parse_image_line(format_image_line(image)) == image


@given(st.text())
def test_no_text_makes_the_name_check_fail_otherwise(name: str) -> None:
    try:
        assert check_image_name(name).isascii()
    except UsageError as error:
        assert error.hint


@pytest.mark.parametrize("line", [b"demo", b"demo|/x", b"demo|/x|2025-11-", b"a|b|c|d", b"|/x|" + STAMP.encode(), b""])
def test_a_torn_line_is_no_record(line: bytes) -> None:
    assert parse_image_line(line) is None


def test_blanks_around_fields_are_no_part_of_them() -> None:
    image = parse_image_line(b" demo | /r/x | 2025-11-24 02:30:00 \r\n")
    assert image == Image(name="demo", rootfs="/r/x", created="2025-11-24 02:30:00")


# -- looking up


def test_a_missing_database_names_mdock_demo(home: Home) -> None:
    with pytest.raises(NotFound, match="No images yet") as caught:
        find_image_by_name(home.images_db, "demo")
    assert "mdock demo" in caught.value.hint


def test_a_missing_image_is_named_with_the_nearest_one(home: Home, tree: Path) -> None:
    build_image(home, "ubuntu", tree)
    with pytest.raises(NotFound) as caught:
        find_image_by_name(home.images_db, "ubunt")
    assert caught.value.message == "Image 'ubunt' not found"
    assert "'ubuntu'" in caught.value.hint
    assert "mdock images" in caught.value.hint
    with pytest.raises(NotFound, match="Image 'nosuchimage' not found"):
        find_image_by_name(home.images_db, "nosuchimage")
    with pytest.raises(NotFound) as caught:
        find_image_by_name(home.images_db, "demo")
    assert "mdock demo" in caught.value.hint


def test_names_are_case_sensitive_and_the_first_line_counts(home: Home, tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
    Path(home.images_db).write_bytes(
        f"Demo|/nowhere|{STAMP}\nxdemo|/nowhere|{STAMP}\ndemo|broken\n"
        f"demo|{tmp_path}/one|{STAMP}\ndemo|{tmp_path}/two|{STAMP}\n".encode()
    )
    assert find_image_by_name(home.images_db, "demo").rootfs == f"{tmp_path}/one"
    with pytest.raises(NotFound):
        find_image_by_name(home.images_db, "DEMO")


def test_corrupt_lines_are_passed_over_and_told_apart(home: Home, tree: Path) -> None:
    Path(home.images_db).write_bytes(b"demo|half\n\xff\xfe|x\n\n")
    build_image(home, "demo", tree)
    found, corrupt = list_images(home.images_db)
    assert [image.name for image in found] == ["demo"]
    assert corrupt == [b"demo|half", b"\xff\xfe|x"]
    build_image(home, "demo", tree, force=True)
    remove(home, "demo")
    assert Path(home.images_db).read_bytes() == b"demo|half\n\xff\xfe|x\n\n"


def test_a_vanished_rootfs_says_so_and_how_to_rebuild(home: Home, tree: Path) -> None:
    build_image(home, "mine", tree)
    shutil.rmtree(home.image_rootfs("mine"))
    with pytest.raises(NotFound, match="is gone") as caught:
        find_image_by_name(home.images_db, "mine")
    assert "--force mine" in caught.value.hint


def table_of(home: Home, folder: Path, name: str = "demo") -> None:
    """Write the table in place, as another program may."""
    Path(home.images_db).write_text(f"{name}|{folder}|2026-01-02T03:04:05\n")


def test_a_known_table_is_not_read_again_until_it_changes(home: Home, tmp_path: Path) -> None:
    home.create()
    known = images.KnownImages(home.images_db)
    table_of(home, tmp_path)
    an_hour_ago = time.time() - 3600
    os.utime(home.images_db, (an_hour_ago, an_hour_ago))
    known.find("demo")
    with opened() as paths:
        assert known.find("demo").rootfs == str(tmp_path)
    assert paths == []
    Path(home.images_db).write_bytes(b"no record\n" + Path(home.images_db).read_bytes())
    assert known.find("demo") and known.corrupt == [b"no record"]


def test_a_table_rewritten_in_place_with_the_same_length_is_never_taken_for_the_old_one(
    home: Home, tmp_path: Path
) -> None:
    """Within one tick of the kernel's clock the two have the same times."""
    home.create()
    known = images.KnownImages(home.images_db)
    for number in range(100, 150):
        (tmp_path / str(number)).mkdir()
        table_of(home, tmp_path / str(number))
        assert known.find("demo").rootfs == known.find("demo").rootfs == str(tmp_path / str(number))


def test_a_table_whose_time_lies_ahead_of_the_clock_is_read_each_time(home: Home, tmp_path: Path) -> None:
    home.create()
    known = images.KnownImages(home.images_db)
    table_of(home, tmp_path)
    tomorrow = time.time() + 86400
    os.utime(home.images_db, (tomorrow, tomorrow))
    known.find("demo")
    with opened() as paths:
        known.find("demo")
    assert paths == [home.images_db]


def test_known_images_have_the_same_errors(home: Home, tree: Path) -> None:
    known = images.KnownImages(home.images_db)
    with pytest.raises(NotFound, match="No images yet"):
        known.find("demo")
    build_image(home, "demo", tree)
    assert known.find("demo").name == "demo"
    with pytest.raises(NotFound, match="'dem' not found"):
        known.find("dem")
    remove_tree(home.image_rootfs("demo"))
    with pytest.raises(NotFound, match="is gone"):
        known.find("demo")
    remove_image(home, "demo")
    with pytest.raises(NotFound, match="'demo' not found"):
        known.find("demo")


def test_the_last_of_ten_thousand_images_is_found(home: Home, tmp_path: Path) -> None:
    lines = "".join(f"image{n}|{tmp_path}|{STAMP}\n" for n in range(10_000))
    Path(home.images_db).write_text(lines)
    assert find_image_by_name(home.images_db, "image9999").rootfs == str(tmp_path)


# -- copying


def snapshot(top: Path) -> dict[str, tuple[object, ...]]:
    """What must be the same in a copy, by path."""
    seen: dict[str, tuple[object, ...]] = {}
    for folder, folders, files in os.walk(top):
        for path in [folder, *(os.path.join(folder, name) for name in folders + files)]:
            info = os.lstat(path)
            content: object = None
            if stat.S_ISLNK(info.st_mode):
                content = os.readlink(path)
            elif stat.S_ISREG(info.st_mode):
                content = Path(path).read_bytes()
            size = info.st_size if stat.S_ISREG(info.st_mode) else 0
            key = os.path.relpath(path, top)
            seen[key] = (info.st_mode, info.st_uid, info.st_gid, info.st_mtime_ns, info.st_rdev, size, content)
    return seen


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


# -- building and removing


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
