"""``build`` of a tree in which something is mounted: the kernel's own views are left out, real files are copied."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

NEEDS = "needs privilege:"
MDOCK = f"{shlex.quote(sys.executable)} -m udock_lab.cli"


class Tree:
    """A small root file system, and what ``build`` says and makes of it with ``script`` run before."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "tree"
        self.home = folder / ".mdock"
        for name in ("bin", "proc", "sys", "dev", "mnt", "inner"):
            (self.path / name).mkdir(parents=True)
        (self.path / "bin/sh").write_text("a shell")
        self.image = self.home / "images/x/rootfs"

    def built(self, script: str, source: str = "$T") -> subprocess.CompletedProcess[str]:
        """In a mount namespace of its own: when the script has ended, nothing is mounted any more."""
        space = ["unshare", "--mount", "--propagation", "private"] + ([] if os.geteuid() == 0 else ["--map-root-user"])
        lines = f"set -e\n{script}\nset +e\n{MDOCK} build x {source}; echo code=$? >&2"
        env = {**os.environ, "T": str(self.path), "HOME": str(self.home.parent)}
        done = subprocess.run(
            [*space, "sh", "-c", lines], env=env, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL
        )
        if "code=" not in done.stderr:
            pytest.skip(f"{NEEDS} {done.stderr.strip()}")
        assert "Traceback" not in done.stderr
        return done


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


@pytest.mark.parametrize(
    ("kind", "mount"),
    [
        ("proc", "mount -t proc proc $T/mnt"),
        ("proc", "mount --rbind /proc $T/mnt"),
        ("proc", "mount --bind /proc/sys $T/mnt"),
        ("sysfs", "mount --rbind /sys $T/mnt"),
        ("devpts", "mount -t devpts devpts $T/mnt"),
        ("cgroup2", "mount -t cgroup2 none $T/mnt"),
        ("cgroup", "mount -t cgroup -o none,name=udock-test none $T/mnt"),
        ("mqueue", "mount -t mqueue none $T/mnt"),
        ("debugfs", "mount -t debugfs none $T/mnt"),
        ("tracefs", "mount -t tracefs none $T/mnt"),
        ("securityfs", "mount -t securityfs none $T/mnt"),
        ("bpf", "mount -t bpf none $T/mnt"),
        ("configfs", "mount -t configfs none $T/mnt"),
        ("binfmt_misc", "mount -t binfmt_misc none $T/mnt"),
        ("fusectl", "mount -t fusectl none $T/mnt"),
        ("pstore", "mount -t pstore none $T/mnt"),
    ],
)
def test_a_view_of_the_kernel_is_left_out_with_a_note(tree: Tree, kind: str, mount: str) -> None:
    done = tree.built(mount)
    assert "code=0" in done.stderr
    assert f"/mnt is a view of the kernel ({kind})" in done.stderr
    assert os.listdir(tree.image / "mnt") == [] and (tree.image / "bin/sh").read_text() == "a shell"


def test_a_tree_as_debootstrap_and_a_chroot_leave_it_is_built(tree: Tree) -> None:
    done = tree.built(
        "mount -t proc proc $T/proc; mount --rbind /sys $T/sys; mount -t tmpfs none $T/dev\n"
        "mkdir $T/dev/pts $T/dev/shm; mount -t devpts devpts $T/dev/pts; mount -t tmpfs none $T/dev/shm; echo 1 > $T/dev/shm/a"
    )
    assert "code=0" in done.stderr
    assert [place for place in ("/proc is", "/sys is", "/dev/pts is") if place not in done.stderr] == []
    assert (tree.image / "dev/shm/a").read_text() == "1\n"
    assert os.listdir(tree.image / "proc") == os.listdir(tree.image / "dev/pts") == []


def test_what_people_mounted_is_copied_like_the_rest(tree: Tree) -> None:
    done = tree.built(
        "mount -t tmpfs none $T/mnt; mkdir $T/mnt/deep; echo a > $T/mnt/deep/a; mount --bind $T/bin $T/inner\n"
        "touch $T/bound; mount --bind $T/mnt/deep/a $T/bound"
    )
    assert "code=0" in done.stderr and "left out" not in done.stderr
    assert (tree.image / "mnt/deep/a").read_text() == (tree.image / "bound").read_text() == "a\n"
    assert (tree.image / "inner/sh").read_text() == "a shell"


def test_an_overlay_is_copied_as_it_is_seen(tree: Tree) -> None:
    done = tree.built(
        "mount -t tmpfs none $T/dev; mkdir $T/dev/low $T/dev/up $T/dev/work; echo l > $T/dev/low/l; echo l > $T/dev/low/gone\n"
        "mount -t overlay none -o lowerdir=$T/dev/low,upperdir=$T/dev/up,workdir=$T/dev/work $T/mnt\n"
        "rm $T/mnt/gone; echo u > $T/mnt/u"
    )
    assert "code=0" in done.stderr
    assert sorted(os.listdir(tree.image / "mnt")) == ["l", "u"]


@pytest.mark.parametrize("how", ["--bind", "--rbind"])
def test_the_tree_mounted_into_itself_is_copied_once(tree: Tree, how: str) -> None:
    done = tree.built(f"mount {how} $T $T/inner")
    assert "code=0" in done.stderr
    assert "/inner is a folder above it" in done.stderr
    assert os.listdir(tree.image / "inner") == []


def test_a_file_of_the_kernel_mounted_over_a_file_is_left_out(tree: Tree) -> None:
    (tree.path / "kmsg").touch()
    done = tree.built("mount --bind /proc/kmsg $T/kmsg")
    assert "code=0" in done.stderr and "/kmsg is a view of the kernel (proc)" in done.stderr
    assert not (tree.image / "kmsg").exists()


@pytest.mark.parametrize("source", ["/proc", "/proc/self", "/sys"])
def test_a_view_of_the_kernel_is_no_tree_to_build(tree: Tree, source: str) -> None:
    done = tree.built("true", source)
    assert "code=2" in done.stderr and "view of the kernel" in done.stderr
    assert not tree.image.exists()


FUSE = """
import ctypes, os, sys
place, user = os.fsencode(sys.argv[1]), sys.argv[2]
fd = os.open("/dev/fuse", os.O_RDWR)
data = f"fd={fd},rootmode=40000,user_id={user},group_id={user}".encode()
libc = ctypes.CDLL(None, use_errno=True)
if libc.mount(b"udock-test", place, b"fuse", 0, data):
    sys.exit(os.strerror(ctypes.get_errno()))
if len(sys.argv) > 3:
    os.set_inheritable(fd, True)
    os.execvp(sys.argv[3], sys.argv[3:])
"""


def test_a_fuse_of_another_user_that_refuses_is_left_out(tree: Tree) -> None:
    """Its server is the shell that runs build, and answers nothing: the kernel refuses before it is asked."""
    if os.geteuid() != 0 or not os.path.exists("/dev/fuse"):
        pytest.skip(f"{NEEDS} a FUSE of another user needs root and /dev/fuse")
    build = f'python() {{ {shlex.quote(sys.executable)} -c {shlex.quote(FUSE)} "$@"; }}\npython $T/mnt 12345 sh -c'
    done = tree.built(f"{build} '{MDOCK} build x $T; echo inner=$? >&2'; umount -l $T/mnt", source="$T --force")
    assert "inner=0" in done.stderr, done.stderr
    assert "/mnt lies on a file system that refuses" in done.stderr


def test_a_fuse_whose_server_is_gone_is_left_out(tree: Tree) -> None:
    if os.geteuid() != 0 or not os.path.exists("/dev/fuse"):
        pytest.skip(f"{NEEDS} a FUSE needs root and /dev/fuse")
    done = tree.built(f"{shlex.quote(sys.executable)} -c {shlex.quote(FUSE)} $T/mnt 0")
    assert "code=0" in done.stderr
    assert "/mnt lies on a file system that refuses" in done.stderr
    assert os.listdir(tree.image / "mnt") == []
