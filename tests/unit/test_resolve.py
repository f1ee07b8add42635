"""Path resolution inside a root, compared with what the kernel does in a real chroot."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest
from chrooting import MAY_CHROOT, needs_chroot
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from udock_lab.linux.resolve import resolve_in_root, shebang


@pytest.fixture
def root(tmp_path: Path) -> Path:
    top = tmp_path / "root"
    for folder in ("usr/bin", "etc", "deep/er"):
        (top / folder).mkdir(parents=True)
    (top / "usr/bin/sh").write_text("x")
    (top / "etc/passwd").write_text("inside")
    (top / "bin").symlink_to("usr/bin")
    (top / "abs").symlink_to("/etc/passwd")
    (top / "escape").symlink_to("../../../../etc/passwd")
    (top / "deep/er/up").symlink_to("../../etc")
    (top / "dangling").symlink_to("/nowhere")
    (top / "loop").symlink_to("loop")
    (top / "usr/bin/self").symlink_to("/abs")
    (top / "slash").symlink_to("/")
    (top / "filelink").symlink_to("etc/passwd/")
    return top


@pytest.mark.parametrize(
    ("path", "cwd", "inside"),
    [
        ("/bin/sh", "/", "usr/bin/sh"),
        ("/abs", "/", "etc/passwd"),
        ("/escape", "/", "etc/passwd"),
        ("../../../../etc/passwd", "/deep/er", "etc/passwd"),
        ("up/passwd", "/deep/er", "etc/passwd"),
        ("/bin/self", "/", "etc/passwd"),
        ("/slash/slash/etc/./passwd", "/", "etc/passwd"),
        ("/", "/", ""),
        ("..", "/", ""),
        ("/etc/", "/", "etc"),
    ],
)
def test_every_path_ends_inside_the_root(root: Path, path: str, cwd: str, inside: str) -> None:
    assert resolve_in_root(str(root), path, cwd) == str(root / inside).rstrip("/")


@pytest.mark.parametrize(
    ("path", "number"),
    [
        ("/nothing", errno.ENOENT),
        ("", errno.ENOENT),
        ("/dangling", errno.ENOENT),
        ("/etc/passwd/x", errno.ENOTDIR),
        ("/etc/passwd/", errno.ENOTDIR),
        ("/etc/passwd/..", errno.ENOTDIR),
        ("/filelink", errno.ENOTDIR),
        ("/nothing/..", errno.ENOENT),
        ("/loop", errno.ELOOP),
    ],
)
def test_a_bad_path_has_the_kernels_errno(root: Path, path: str, number: int) -> None:
    with pytest.raises(OSError) as caught:
        resolve_in_root(str(root), path)
    assert caught.value.errno == number


def test_forty_links_are_followed_and_one_more_is_eloop(tmp_path: Path) -> None:
    (tmp_path / "l0").write_text("")
    for number in range(1, 42):
        (tmp_path / f"l{number}").symlink_to(f"l{number - 1}")
    assert resolve_in_root(str(tmp_path), "/l40") == str(tmp_path / "l0")
    with pytest.raises(OSError) as caught:
        resolve_in_root(str(tmp_path), "/l41")
    assert caught.value.errno == errno.ELOOP
    with pytest.raises(OSError) as kernel:
        os.stat(tmp_path / "l41")
    assert kernel.value.errno == errno.ELOOP
    os.stat(tmp_path / "l40")


_ASK = """
import os, sys
os.chroot(sys.argv[1]); os.chdir("/deep/er")
for path in sys.stdin.read().split("\\n"):
    try:
        info = os.stat(path); print(info.st_ino, 0)
    except OSError as error:
        print(0, error.errno)
"""


_NAMES = ["bin", "usr", "sh", "etc", "passwd", "..", ".", "abs", "escape", "deep", "er", "up"]
_NAMES += ["dangling", "loop", "slash", "self", "no", "filelink"]


@needs_chroot
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.lists(
            st.sampled_from(_NAMES),
            min_size=1,
            max_size=6,
        ),
        min_size=20,
        max_size=40,
    ),
    st.booleans(),
    st.booleans(),
)
def test_the_kernel_in_a_chroot_agrees(root: Path, walks: list[list[str]], absolute: bool, slash: bool) -> None:
    paths = [("/" if absolute else "") + "/".join(walk) + ("/" if slash else "") for walk in walks]
    asked = subprocess.run(
        [*MAY_CHROOT, sys.executable, "-I", "-S", "-c", _ASK, str(root)],
        input="\n".join(paths),
        capture_output=True,
        text=True,
        check=True,
    )
    for path, line in zip(paths, asked.stdout.splitlines(), strict=True):
        inode, number = (int(word) for word in line.split())
        try:
            ours = (os.stat(resolve_in_root(str(root), path, "/deep/er")).st_ino, 0)
        except OSError as error:
            ours = (0, error.errno or -1)
        assert ours == (inode, number), path


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"#!/bin/sh\necho", ("/bin/sh", None)),
        (b"#! \t/bin/sh -e  \n", ("/bin/sh", "-e")),
        (b"#!/usr/bin/env python3 -u\n", ("/usr/bin/env", "python3 -u")),
        (b"#!/bin/sh\r\n", ("/bin/sh\r", None)),
        (b"#!/bin/sh", ("/bin/sh", None)),
        (b"#!\n", None),
        (b"#!   \n/bin/sh", None),
        (b"", None),
        (b"\x7fELF", None),
        (b"#!" + b"x" * 300, None),
        (b"#!/bin/sh " + b"y" * 300, ("/bin/sh", "y" * 246)),
    ],
)
def test_a_shebang_is_read_as_the_kernel_reads_it(
    tmp_path: Path, head: bytes, expected: tuple[str, str | None] | None
) -> None:
    script = tmp_path / "script"
    script.write_bytes(head)
    assert shebang(str(script)) == expected
