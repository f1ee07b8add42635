"""A sandbox with walls: its own users, processes, mounts and network, and a root file system made for one run.

What is graded is not trusted. Where the machine permits, such code sees a root that holds the system's programs and
this Python read-only, a little /dev, its own /proc, and one scratch folder in memory with an upper bound. Its
uid 0 is nobody outside (user_namespaces(7)), so it regains chroot in there and nothing out here.
The lesson's own subjects at work: mount_namespaces(7), pid_namespaces(7), pivot_root(2).
"""

from __future__ import annotations

import os
import stat
import sys
from contextlib import suppress
from errno import errorcode

from udock_lab.linux.capabilities import bound_capabilities, set_capabilities
from udock_lab.linux.identity import enter_user_namespace, write_maps
from udock_lab.linux.mounts import (
    MNT_DETACH,
    MOUNT_ATTR_NODEV,
    MOUNT_ATTR_NOSUID,
    MOUNT_ATTR_RDONLY,
    MS_BIND,
    MS_NODEV,
    MS_NOSUID,
    MS_PRIVATE,
    MS_REC,
    mount,
    mount_setattr,
    pivot_root,
    umount2,
)
from udock_lab.linux.namespaces import CLONE_NEWIPC, CLONE_NEWNET, CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWUTS, unshare
from udock_lab.linux.prctl import PR_SET_DUMPABLE, prctl
from udock_lab.sandbox.scratch import small_files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import NoReturn

__all__ = ["DEVICES", "SCRATCH", "enter", "system_folders", "walls_work"]

SCRATCH = "/scratch"  # the working directory inside
MOUNTPOINT = "/tmp"  # what the new root hides in our own mount namespace; any folder would do
SIZE = "64m"  # everything that can be written, together
INODES = 20_000  # files and folders, together: each takes memory too
# What root may do in there: as in a Docker container, so not CAP_SYS_ADMIN (with it one may speak in another
# process's name, unix(7), and mount over /proc) nor CAP_SYS_PTRACE.
# CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, SETGID, SETUID, SETPCAP, NET_BIND_SERVICE, NET_RAW, SYS_CHROOT, MKNOD
CAPABILITIES = (0, 1, 3, 4, 5, 6, 7, 8, 10, 13, 18, 27)
DEVICES = ("null", "zero", "full", "random", "urandom")
_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc/ld.so.cache", "/etc/alternatives")


def enter(
    package: str, ask_keeper: Callable[[], bool], tell: Callable[..., None], path: Sequence[str] = ()
) -> list[str]:
    """From the runner: go inside. Returns in the process that is to run the code; names of walls that were refused.

    Three processes come of one: this one stays outside the pid namespace and waits, its child is the namespace's
    first process and collects orphans, and the child's child goes on. ``tell`` sends a word to the keeper. Libraries
    on ``path`` are shown inside. Raises OSError.
    """
    enter_user_namespace(ask_keeper, keep_capabilities=True)
    refused = _enter_namespaces()
    shown = _hold_open(system_folders(package, path))
    _become_root()
    first = os.fork()
    if first:
        os._exit(os.waitstatus_to_exitcode(os.waitpid(first, 0)[1]) & 0xFF)
    _enter_private_root(MOUNTPOINT, shown)
    tell("inside")
    prctl(PR_SET_DUMPABLE, 0)  # nobody in there reads or writes this process's memory (ptrace(2))
    learner = os.fork()
    if learner:
        _look_after(learner, tell)
    bound_capabilities(CAPABILITIES)
    set_capabilities(CAPABILITIES)
    prctl(PR_SET_DUMPABLE, 1)
    return refused


def _become_root() -> None:
    """uid 0 of the namespace, which is nobody outside; nothing of the groups that we had."""
    with suppress(PermissionError):
        os.setgroups([])  # refused where the map had to be written without privilege (user_namespaces(7))
    os.setresgid(0, 0, 0)
    os.setresuid(0, 0, 0)
    prctl(PR_SET_DUMPABLE, 1)


def _look_after(learner: int, tell: Callable[..., None]) -> NoReturn:
    """The namespace's first process: collect whoever ends, tell how the learner's process ended and what it left.

    When this process ends, the kernel kills all others in the namespace (pid_namespaces(7)). It stays until they
    are gone by themselves; the keeper ends it when it has waited long enough.
    """
    try:
        while True:
            try:
                pid, status = os.waitpid(-1, 0)
            except ChildProcessError:
                break
            if pid == learner:
                tell("ended", status)
                tell("files", small_files(SCRATCH))
        tell("files", small_files(SCRATCH))
    finally:
        os._exit(0)


def walls_work(package: str) -> str:
    """Try it to the end in a child; empty if it works, else why not. For single-threaded callers."""
    read, write = os.pipe()
    ask, answer = os.pipe(), os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            refusal = ""
            try:
                enter(package, lambda: bool(os.write(ask[1], b"?")) and os.read(answer[0], 1) == b"y", _silent)
            except OSError as error:
                name = errorcode.get(error.errno or 0, error.errno)
                refusal = f"{name}: {error.strerror} ({error.filename or 'unshare'})"
            os.write(write, refusal.encode() or b"+")
        finally:
            os._exit(0)
    for fd in (write, ask[1], answer[0]):
        os.close(fd)
    if os.read(ask[0], 1):
        os.write(answer[1], b"y" if write_maps(pid, shut=True) else b"n")
    with open(read, "rb") as file:
        said = file.read()
    os.waitpid(pid, 0)
    for fd in (ask[0], answer[1]):
        os.close(fd)
    return "" if said == b"+" else said.decode() or "the attempt was killed"


def _silent(*words: object) -> None:
    """Nobody listens to an attempt."""


def system_folders(package: str, path: Sequence[str] = ()) -> list[str]:
    """What a Python with this package needs to run, in the order in which it can be mounted.

    ``path`` is the notebook's sys.path, with libraries that this user has installed for themselves.
    """
    libraries = [entry for entry in (*sys.path, *path) if entry.endswith(("site-packages", "dist-packages"))]
    wanted = [*_SYSTEM, sys.base_prefix, sys.prefix, f"{package}/udock_lab", *libraries]
    found: list[str] = []
    for path in wanted:
        real = os.path.abspath(path) if path else ""
        if real and os.path.lexists(real) and not any(real == one or real.startswith(f"{one}/") for one in found):
            found.append(real)
    return sorted(found, key=len)


def _enter_namespaces() -> list[str]:
    """New mount, pid, ipc, host name and network namespaces; the names of those that were refused.

    Raises OSError if mounts or processes cannot be set apart: the rest would be worth little without them.
    The pid namespace holds what is forked from now on.
    """
    unshare(CLONE_NEWNS | CLONE_NEWPID)
    refused = []
    for name, flag in (("network", CLONE_NEWNET), ("ipc", CLONE_NEWIPC), ("host name", CLONE_NEWUTS)):
        try:
            unshare(flag)
        except OSError:
            refused.append(name)
    return refused


def _hold_open(paths: Sequence[str]) -> dict[str, int]:
    """Path to descriptor (O_PATH, open(2)), taken before we become somebody who may not walk there."""
    return {path: os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC) for path in paths}


def _enter_private_root(mountpoint: str, shown: dict[str, int]) -> None:
    """As the first process of a pid namespace: make the root and move into it; the host's is let go.

    ``mountpoint`` is any folder; what ``shown`` holds open appears read-only under its path. Raises OSError.
    """
    mount("none", "/", None, MS_REC | MS_PRIVATE)
    mount("udock", mountpoint, "tmpfs", MS_NOSUID | MS_NODEV, f"size={SIZE},nr_inodes={INODES},mode=755")
    for path, fd in shown.items():
        _show(fd, mountpoint + path)
        os.close(fd)
    _devices(mountpoint)
    for name, mode in ((SCRATCH, 0o755), ("/tmp", 0o1777), ("/proc", 0o555), ("/old", 0o700), ("/root", 0o700)):
        os.makedirs(mountpoint + name, exist_ok=True)
        os.chmod(mountpoint + name, mode)
    os.makedirs(f"{mountpoint}/etc", exist_ok=True)
    with open(f"{mountpoint}/etc/passwd", "w") as file:
        file.write("root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n")
    mount("proc", f"{mountpoint}/proc", "proc", MS_NOSUID | MS_NODEV)
    pivot_root(mountpoint, f"{mountpoint}/old")
    os.chdir("/")
    umount2("/old", MNT_DETACH)
    os.rmdir("/old")
    os.chdir(SCRATCH)


def _show(fd: int, inside: str) -> None:
    """Bind it read-only; a symlink is made again, since binding it would follow it."""
    if os.path.lexists(inside):
        return
    os.makedirs(os.path.dirname(inside), exist_ok=True)
    mode = os.fstat(fd).st_mode
    if stat.S_ISLNK(mode):
        os.symlink(os.readlink("", dir_fd=fd), inside)
        return
    if stat.S_ISDIR(mode):
        os.mkdir(inside)
    else:
        os.close(os.open(inside, os.O_CREAT | os.O_WRONLY, 0o644))
    mount(f"/proc/self/fd/{fd}", inside, None, MS_BIND | MS_REC)
    mount_setattr(inside, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)


def _devices(root: str) -> None:
    """The host's own nodes, bound: nobody without privilege can make them."""
    os.mkdir(f"{root}/dev")
    for name in DEVICES:
        os.close(os.open(f"{root}/dev/{name}", os.O_CREAT | os.O_WRONLY, 0o666))
        mount(f"/dev/{name}", f"{root}/dev/{name}", None, MS_BIND)
    for name, target in (("fd", "/proc/self/fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2")):
        os.symlink(target, f"{root}/dev/{name}")
