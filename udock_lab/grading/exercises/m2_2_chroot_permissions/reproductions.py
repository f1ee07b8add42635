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

    from udock_lab.runtime.steps import NewUserNamespace

    os.mkdir("image")
    Path("image/a-file-of-the-image").touch()
    if os.geteuid():  # an ordinary user may call chroot in a user namespace of their own
        NewUserNamespace(os.getuid(), os.getgid()).apply(None)
    print("enter returned", repr(enter(os.path.abspath("image"))))
    print("/ is the folder:", os.path.exists("/a-file-of-the-image"))


@reproduces("cwd", right="../.. is the image's root: True")
def cwd(enter: Enter) -> None:
    import os

    from udock_lab.runtime.steps import NewUserNamespace

    os.mkdir("image")
    if os.geteuid():  # an ordinary user may call chroot in a user namespace of their own
        NewUserNamespace(os.getuid(), os.getgid()).apply(None)
    enter(os.path.abspath("image"))
    print("../.. is the image's root:", os.path.samefile("../..", "/") or os.listdir("../.."))


@reproduces(
    "relative",
    right="enter returned {word!r}\nthe working directory is the folder: True",
    wanted={"word": "chroot"},
    tries=({"word": "chdir", "has_the_right": False},),
)
def relative(enter: Enter, *, has_the_right: bool = True) -> None:
    import os
    from pathlib import Path

    from udock_lab.linux.syscalls import drop_capabilities
    from udock_lab.runtime.steps import NewUserNamespace

    os.makedirs("srv/images/demo")
    os.chdir("srv")
    Path("images/demo/a-file-of-the-image").touch()
    if not has_the_right:
        drop_capabilities()
    elif os.geteuid():  # an ordinary user may call chroot in a user namespace of their own
        NewUserNamespace(os.getuid(), os.getgid()).apply(None)
    print("enter returned", repr(enter("images/demo")))
    print("the working directory is the folder:", os.path.exists("a-file-of-the-image"))


@reproduces("asks", right="enter returned 'chroot'\n/ is the folder: True")
def asks(enter: Enter) -> None:
    import os
    from pathlib import Path

    from udock_lab.linux.namespaces import CLONE_NEWUSER, unshare

    os.mkdir("image")
    Path("image/a-file-of-the-image").touch()
    unshare(CLONE_NEWUSER)  # from here on this process is not root, and has the right to call chroot
    print("enter returned", repr(enter("image")))
    print("/ is the folder:", os.path.exists("/a-file-of-the-image"))


@reproduces(
    "eperm",
    right="enter returned 'chdir'\nthe working directory is the folder: True\n/ is as before: True",
    tries=({"has_the_right": True},),
)
def eperm(enter: Enter, *, has_the_right: bool = False) -> None:
    import errno
    import os
    from pathlib import Path

    from udock_lab.linux.seccomp_filters import refuse_chroot
    from udock_lab.linux.syscalls import drop_capabilities

    os.mkdir("image")
    Path("image/a-file-of-the-image").touch()
    before = os.stat("/")
    if has_the_right:
        refuse_chroot(errno.EPERM)  # chroot is refused all the same, as a security module does
    else:
        drop_capabilities()
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

    from udock_lab.linux.syscalls import drop_capabilities

    Path("plain file").touch()
    os.makedirs("closed/inside")
    os.mkdir("shut")
    for folder in ("closed", "shut"):
        os.chmod(folder, 0)  # nobody may enter it
    drop_capabilities()
    try:
        print("enter returned", repr(enter(os.path.abspath(path))))
    except OSError as error:
        print("enter raised", errno.errorcode[error.errno or 0])


@reproduces(
    "only",
    right="enter raised {name}",
    wanted={"name": "EACCES"},
    tries=(
        {"number": 2, "name": "ENOENT"},
        {"number": 20, "name": "ENOTDIR"},
        {"number": 38, "name": "ENOSYS"},
        {"number": 5, "name": "EIO"},
    ),
)
def only(enter: Enter, *, number: int = 13) -> None:
    import errno
    import os

    from udock_lab.linux.seccomp_filters import refuse_chroot

    os.mkdir("image")
    refuse_chroot(number)  # from here on each chroot fails with this errno
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
        {"has_the_right": True, "lines": 0},
    ),
)
def warns(enter: Enter, *, path: str = "image", has_the_right: bool = False, times: int = 1) -> None:
    import os
    import sys
    from contextlib import suppress

    from udock_lab.linux.syscalls import drop_capabilities
    from udock_lab.runtime.steps import NewUserNamespace

    os.mkdir("image")
    path = os.path.abspath(path)
    written = os.open("written", os.O_RDWR | os.O_CREAT)
    os.dup2(written, 2)  # what goes to standard error is in this file now
    if not has_the_right:
        drop_capabilities()
    elif os.geteuid():  # an ordinary user may call chroot in a user namespace of their own
        NewUserNamespace(os.getuid(), os.getgid()).apply(None)
    for _ in range(times):
        with suppress(OSError):
            enter(path)
    sys.stderr.flush()
    text = os.pread(written, 10_000, 0).decode()
    print("lines on standard error:", sum(not line.startswith(" ") for line in text.splitlines()))
    print(text)


REPRODUCTIONS = (root, cwd, relative, asks, eperm, raised, only, warns)
