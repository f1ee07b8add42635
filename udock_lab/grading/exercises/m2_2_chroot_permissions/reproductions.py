"""M2.2: the smallest program in which each requirement is seen to fail."""

from __future__ import annotations

from collections.abc import Callable

from udock_lab.grading.reproduction import reproduces

__all__ = ["REPRODUCTIONS"]

Enter = Callable[[str], str]


@reproduces("root", right="enter returned 'chroot'\n/ is the folder: True")
def root(enter: Enter) -> None:
    import os
    from pathlib import Path

    from udock_lab.lesson import have_rights

    os.mkdir("image")
    Path("image/a-file-of-the-image").touch()
    have_rights("chroot")  # as root, or as the root of a user namespace
    print("enter returned", repr(enter(os.path.abspath("image"))))
    print("/ is the folder:", os.path.exists("/a-file-of-the-image"))


@reproduces("cwd", right="../.. is the image's root: True")
def cwd(enter: Enter) -> None:
    import os

    from udock_lab.lesson import have_rights

    os.mkdir("image")
    have_rights("chroot")  # as root, or as the root of a user namespace
    enter(os.path.abspath("image"))
    print("../.. is the image's root:", os.path.samefile("../..", "/") or os.listdir("../.."))


@reproduces(
    "relative",
    right="enter returned {word!r}\nthe working directory is the folder: True",
    wanted={"word": "chroot"},
    tries=({"word": "chdir", "rights": "none"},),
)
def relative(enter: Enter, *, rights: str = "chroot") -> None:
    import os
    from pathlib import Path

    from udock_lab.lesson import have_rights

    os.makedirs("srv/images/demo")
    os.chdir("srv")
    Path("images/demo/a-file-of-the-image").touch()
    have_rights(rights)
    print("enter returned", repr(enter("images/demo")))
    print("the working directory is the folder:", os.path.exists("a-file-of-the-image"))


@reproduces("asks", right="enter returned 'chroot'\n/ is the folder: True")
def asks(enter: Enter) -> None:
    import os
    from pathlib import Path

    from udock_lab.lesson import have_rights

    os.mkdir("image")
    Path("image/a-file-of-the-image").touch()
    have_rights("chroot, not as root")
    print("enter returned", repr(enter("image")))
    print("/ is the folder:", os.path.exists("/a-file-of-the-image"))


@reproduces(
    "eperm",
    right="enter returned 'chdir'\nthe working directory is the folder: True\n/ is as before: True",
    tries=({"rights": "chroot answers EPERM"},),
)
def eperm(enter: Enter, *, rights: str = "none") -> None:
    import os
    from pathlib import Path

    from udock_lab.lesson import have_rights

    os.mkdir("image")
    Path("image/a-file-of-the-image").touch()
    before = os.stat("/")
    have_rights(rights)
    print("enter returned", repr(enter(os.path.abspath("image"))))
    print("the working directory is the folder:", os.path.exists("a-file-of-the-image"))
    print("/ is as before:", os.path.samestat(before, os.stat("/")))


@reproduces(
    "raised",
    right="enter raised {name}",
    wanted={"name": "ENOENT"},
    tries=(
        {"path": "plain file", "name": "ENOTDIR"},
        {"path": "closed/inside", "name": "EACCES"},
        {"path": "closed", "name": "EACCES"},
    ),
)
def raised(enter: Enter, *, path: str = "no folder") -> None:
    import errno
    import os
    from pathlib import Path

    from udock_lab.lesson import have_rights

    Path("plain file").touch()
    os.makedirs("closed/inside")
    os.mkdir("shut")
    for folder in ("closed", "shut"):
        os.chmod(folder, 0)  # nobody may enter it
    have_rights("none")
    try:
        print("enter returned", repr(enter(os.path.abspath(path))))
    except OSError as error:
        print("enter raised", errno.errorcode[error.errno or 0])


@reproduces(
    "only",
    right="enter raised {name}",
    wanted={"name": "EACCES"},
    tries=(
        {"rights": "chroot answers ENOENT", "name": "ENOENT"},
        {"rights": "chroot answers ENOTDIR", "name": "ENOTDIR"},
        {"rights": "chroot answers ENOSYS", "name": "ENOSYS"},
        {"rights": "chroot answers EIO", "name": "EIO"},
    ),
)
def only(enter: Enter, *, rights: str = "chroot answers EACCES") -> None:
    import errno
    import os

    from udock_lab.lesson import have_rights

    os.mkdir("image")
    have_rights(rights)  # from here on
    try:
        print("enter returned", repr(enter(os.path.abspath("image"))))
    except OSError as error:
        print("enter raised", errno.errorcode[error.errno or 0])


@reproduces(
    "warns",
    right="lines on standard error: {lines}\n...",
    wanted={"lines": 1},
    tries=(
        {"times": 2, "lines": 2},
        {"path": "no folder", "lines": 0},
        {"rights": "chroot", "lines": 0},
    ),
)
def warns(enter: Enter, *, path: str = "image", rights: str = "none", times: int = 1) -> None:
    import os
    import sys
    from contextlib import suppress

    from udock_lab.lesson import have_rights

    os.mkdir("image")
    path = os.path.abspath(path)
    written = os.open("written", os.O_RDWR | os.O_CREAT)
    os.dup2(written, 2)  # what goes to standard error is in this file now
    have_rights(rights)
    for _ in range(times):
        with suppress(OSError):
            enter(path)
    sys.stderr.flush()
    text = os.pread(written, 10_000, 0).decode()
    print("lines on standard error:", sum(not line.startswith(" ") for line in text.splitlines()))
    print(text)


REPRODUCTIONS = (root, cwd, relative, asks, eperm, raised, only, warns)
