"""What this machine permits: every feature tried for real, each in a forked child of its own.

Call it from a single-threaded process only. Nothing it does outlives it: mounts happen in private mount
namespaces that end with their child.
"""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable
from contextlib import suppress
from errno import errorcode

from udock_lab.linux import syscalls as sc
from udock_lab.model import DoctorReport, Feature

__all__ = ["probe"]

NAMESPACES = {
    "mount": sc.CLONE_NEWNS,
    "pid": sc.CLONE_NEWPID,
    "network": sc.CLONE_NEWNET,
    "hostname (uts)": sc.CLONE_NEWUTS,
    "ipc": sc.CLONE_NEWIPC,
    "cgroup": sc.CLONE_NEWCGROUP,
    "time": sc.CLONE_NEWTIME,
}
USE_ROOT = "Run as root (sudo), in a VM or in a privileged dev container."
USE_USERNS = "Needs root or user namespaces."


def probe() -> DoctorReport:
    """Try everything. Takes well under two seconds."""
    folder = tempfile.mkdtemp(prefix="mdock-probe-")
    try:
        features = [
            _feature("chroot", lambda: _try_chroot(folder), f"{USE_ROOT} Without it, mdock runs with chdir only."),
            _feature("user namespace", lambda: _try_userns(folder), _userns_remedy()),
            *(_namespace(name, flag) for name, flag in NAMESPACES.items()),
            _feature("fresh /proc", _try_proc, "A masked /proc (podman, Kubernetes) forbids it; use a VM."),
            _feature(
                "overlayfs", lambda: _try_overlay(folder), f"{USE_ROOT} Kernel 5.11 allows it in a user namespace."
            ),
            _feature("device nodes", lambda: _try_mknod(folder), USE_ROOT),
            _feature(
                "ptrace", _try_ptrace, "A seccomp filter or ptrace_scope 3 forbids it; ask who runs this machine."
            ),
            _strace(),
            _feature("pidfd", _try_pidfd, "Needs Linux 5.3 or later."),
            _feature("seccomp", _try_seccomp, "The kernel was built without seccomp."),
            _feature(
                "landlock", _try_landlock, "Needs Linux 5.13 or later with landlock among the kernel's lsm= list."
            ),
            *_cgroups(),
            _busybox(),
        ]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    rung, summary = _rung({feature.name: feature.works for feature in features})
    return DoctorReport(rung=rung, summary=summary, features=tuple(features))


def _rung(works: dict[str, bool]) -> tuple[str, str]:
    if works["chroot"] and works["mount namespace"]:
        return "A", "root: chroot and every namespace work here."
    if works["user namespace"] and works["fresh /proc"]:
        return "B", "user namespaces: everything but cgroups works, with --userns."
    if works["user namespace"]:
        return "C", "user namespaces with a masked /proc: chroot works with --userns, a fresh /proc does not."
    if works["chroot"]:
        return "D", "a container's root: chroot works, namespaces are refused."
    return "E", "no privilege: containers run with chdir only, limits work."


def _feature(name: str, attempt: Callable[[], str], remedy: str) -> Feature:
    """Try it in a child; the detail is what the child said, or the errno that stopped it."""
    works, detail = _in_child(attempt)
    return Feature(name=name, works=works, detail=detail, remedy="" if works else remedy)


def _in_child(attempt: Callable[[], str]) -> tuple[bool, str]:
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            signal.alarm(5)
            try:
                said = b"+" + attempt().encode()
            except OSError as error:
                where = f" ({error.filename})" if error.filename else ""
                said = f"-{errorcode.get(error.errno or 0, error.errno)}: {error.strerror}{where}".encode()
            os.write(write, said)
        finally:
            os._exit(0)
    os.close(write)
    with open(read, "rb") as answer:
        said = answer.read()
    os.waitpid(pid, 0)
    return said[:1] == b"+", said[1:].decode() or "the probe was killed"


def _try_chroot(folder: str) -> str:
    os.chroot(folder)
    os.chdir("/")
    return "chroot works"


def _enter_userns() -> None:
    uid, gid = os.geteuid(), os.getegid()
    sc.unshare(sc.CLONE_NEWUSER)
    for name, text in (("setgroups", "deny"), ("uid_map", f"0 {uid} 1"), ("gid_map", f"0 {gid} 1")):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)


def _try_userns(folder: str) -> str:
    """To the end: some systems allow unshare and refuse uid_map or what comes after."""
    _enter_userns()
    os.chroot(folder)
    return "unshare, uid_map and chroot inside it work"


def _userns_remedy() -> str:
    with suppress(OSError), open("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") as file:
        if file.read().strip() == "1":
            return "AppArmor restricts it: sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0"
    with suppress(OSError), open("/proc/sys/user/max_user_namespaces") as file:
        if file.read().strip() == "0":
            return "Allow some: sudo sysctl user.max_user_namespaces=15000"
    return "The surrounding container or hub forbids it; use a VM or a privileged dev container."


def _namespace(name: str, flag: int) -> Feature:
    """As ourselves, else inside a user namespace."""
    works, detail = _in_child(lambda: _unshared(flag, "works as you are"))
    if not works:

        def inside() -> str:
            _enter_userns()
            return _unshared(flag, "works inside a user namespace")

        again, said = _in_child(inside)
        works, detail = (True, said) if again else (False, detail)
    return Feature(name=f"{name} namespace", works=works, detail=detail, remedy="" if works else USE_USERNS)


def _unshared(flag: int, said: str) -> str:
    sc.unshare(flag)
    return said


def _own_mounts(flags: int = 0) -> None:
    """A private mount namespace, through a user namespace where we are not root."""
    try:
        sc.unshare(sc.CLONE_NEWNS | flags)
    except PermissionError:
        _enter_userns()
        sc.unshare(sc.CLONE_NEWNS | flags)
    sc.mount("none", "/", None, sc.MS_REC | sc.MS_PRIVATE)


def _try_proc() -> str:
    _own_mounts(sc.CLONE_NEWPID)
    pid = os.fork()
    if pid == 0:
        try:
            sc.mount("proc", "/proc", "proc")
        except OSError as error:
            os._exit(error.errno or errno.EIO)
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if code:
        raise OSError(code, os.strerror(code), "mount /proc")
    return "a pid namespace gets its own /proc"


def _try_overlay(folder: str) -> str:
    _own_mounts()
    sc.mount("tmpfs", folder, "tmpfs")
    for name in ("lower", "upper", "work", "merged"):
        os.mkdir(f"{folder}/{name}")
    options = f"lowerdir={folder}/lower,upperdir={folder}/upper,workdir={folder}/work"
    sc.mount("overlay", f"{folder}/merged", "overlay", 0, options)
    return "overlay mounts work"


def _try_mknod(folder: str) -> str:
    os.mknod(f"{folder}/null", 0o600 | 0o020000, os.makedev(1, 3))
    return "mknod works"


def _try_ptrace() -> str:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.ptrace(0, 0, 0, 0) == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return "a process may be traced"


def _strace() -> Feature:
    path = shutil.which("strace")
    if path is None:
        return Feature(
            name="strace", works=False, detail="not installed", remedy="Install it: sudo apt-get install strace"
        )
    done = subprocess.run([path, "-o", "/dev/null", "/bin/true"], capture_output=True, timeout=5, check=False)
    said = done.stderr.decode(errors="replace").strip().split("\n")[0]
    works = done.returncode == 0
    return Feature(
        name="strace",
        works=works,
        detail="strace traces a program" if works else said or f"exit code {done.returncode}",
        remedy="" if works else "ptrace is refused here; see the line above.",
    )


def _try_pidfd() -> str:
    os.close(os.pidfd_open(os.getpid()))
    return "pidfd_open works"


def _try_seccomp() -> str:
    sc.prctl(21)  # PR_GET_SECCOMP
    with open("/proc/self/status") as file:
        mode = next((line.split()[1] for line in file if line.startswith("Seccomp:")), None)
    if mode is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    return "available" if mode == "0" else "available; this process is filtered already"


def _try_landlock() -> str:
    libc = ctypes.CDLL(None, use_errno=True)
    abi = libc.syscall(444, None, 0, 1)  # landlock_create_ruleset(NULL, 0, LANDLOCK_CREATE_RULESET_VERSION)
    if abi < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return f"ABI {abi}"


def _cgroups() -> list[Feature]:
    """cgroup v1 and v2: mounted, and may we make a group?"""
    mounts: dict[str, list[str]] = {"cgroup": [], "cgroup2": []}
    with suppress(OSError), open("/proc/self/mounts") as file:
        for line in file:
            fields = line.split()
            if fields[2] in mounts:
                mounts[fields[2]].append(fields[1])
    return [_cgroup("cgroup v1", mounts["cgroup"]), _cgroup("cgroup v2", mounts["cgroup2"])]


def _cgroup(name: str, places: list[str]) -> Feature:
    if not places:
        return Feature(
            name=name, works=False, detail="not mounted", remedy="Modern systems have v2 only; nothing to do."
        )
    for place in places:
        group = f"{place}/mdock-probe-{os.getpid()}"
        try:
            os.mkdir(group)
        except OSError as error:
            reason = f"{errorcode.get(error.errno or 0)}: {error.strerror} ({place})"
            continue
        os.rmdir(group)
        controllers = ""
        with suppress(OSError), open(f"{place}/cgroup.controllers") as file:
            controllers = f", controllers: {file.read().strip() or 'none'}"
        return Feature(name=name, works=True, detail=f"writable at {place}{controllers}")
    return Feature(name=name, works=False, detail=reason, remedy="Run as root, or ask systemd for a delegated group.")


def _busybox() -> Feature:
    path = shutil.which("busybox")
    if path is None:
        return Feature(
            name="busybox",
            works=False,
            detail="not installed; mdock copies this machine's own programs instead",
            remedy="Install it: sudo apt-get install busybox-static",
        )
    with open(path, "rb") as file:
        static = b"/ld-" not in file.read(4096)
    return Feature(
        name="busybox",
        works=static,
        detail=f"{path}, {'static' if static else 'dynamic'}",
        remedy="" if static else "Install the static one: sudo apt-get install busybox-static",
    )
