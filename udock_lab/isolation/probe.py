"""What this machine permits: every feature tried for real, each in a forked child of its own.

Call it from a single-threaded process only. Nothing it does outlives it: mounts happen in private mount
namespaces that end with their child.
"""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from errno import errorcode

from udock_lab.isolation.ask import IDENTITY
from udock_lab.isolation.mount import MountProc, PrivateMounts
from udock_lab.isolation.namespaces import (
    NewCgroups,
    NewIpcs,
    NewMounts,
    NewNamespace,
    NewNetwork,
    NewPids,
    NewTimes,
    NewUts,
)
from udock_lab.isolation.root import Chdir, Chroot
from udock_lab.isolation.signals import keep_signals_inside
from udock_lab.isolation.step import Child, Step, apply
from udock_lab.isolation.trial import refusal
from udock_lab.isolation.user import own_namespace
from udock_lab.isolation.wanted import Wanted
from udock_lab.linux.landlock import SIGNAL_SCOPE_ABI, asked_abi_version
from udock_lab.linux.libc import check, libc
from udock_lab.linux.mounts import mount
from udock_lab.linux.prctl import PR_SET_SECCOMP, prctl
from udock_lab.linux.process import parent, proc_is_ours, state
from udock_lab.model import DoctorReport, Feature

__all__ = ["probe"]

NAMESPACES = {
    "mount": NewMounts,
    "pid": NewPids,
    "network": NewNetwork,
    "hostname (uts)": NewUts,
    "ipc": NewIpcs,
    "cgroup": NewCgroups,
    "time": NewTimes,
}
DEV_CONTAINER = "a privileged dev container (udock-lab's .devcontainer/)"
USE_ROOT = f"Run as root (sudo), in a VM or in {DEV_CONTAINER}."
USE_USERNS = "Needs root or user namespaces."
SECCOMP_MODE_FILTER = 2  # seccomp(2)
PTRACE_TRACEME = 0  # ptrace(2)
PATIENCE = 3  # seconds for one attempt


def probe() -> DoctorReport:
    """Try everything. Takes well under two seconds."""
    folder = tempfile.mkdtemp(prefix="mdock-probe-")
    try:
        features = [
            *_roots(folder),
            *_namespaces(),
            *_mounts(folder),
            *_tracing(),
            *_guards(),
            *_sandbox(),
            *_cgroups(),
            _busybox(),
            *_surroundings(),
        ]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    rung, summary = _rung(features, _in_child(lambda: _unshared(NewMounts))[0])
    return DoctorReport(rung=rung, summary=summary, features=tuple(features))


def _rung(features: list[Feature], own_mounts: bool) -> tuple[str, str]:
    """Return the rung of the ladder, and why.

    ``own_mounts``: a mount namespace without the help of a user namespace, as only root gets it.
    """
    works = {feature.name for feature in features if feature.works}
    if "chroot" in works and own_mounts:
        missing = [f"{name} namespace" for name in NAMESPACES if f"{name} namespace" not in works]
        return "A", "root: chroot and every namespace work here" + (f", but {', '.join(missing)}." if missing else ".")
    if "user namespace" in works and "fresh /proc" in works:
        return "B", "user namespaces: everything but cgroups works, with --userns."
    if "user namespace" in works:
        return "C", "user namespaces with a masked /proc: chroot works with --userns, a fresh /proc does not."
    if "chroot" in works:
        return "D", "a container's root: chroot works, namespaces are refused."
    return "E", "no privilege: containers run with chdir only, limits work."


def _roots(folder: str) -> list[Feature]:
    return [
        _feature("chroot", lambda: _try_chroot(folder), f"{USE_ROOT} Without it, mdock runs with chdir only."),
        _feature("user namespace", lambda: _try_userns(folder), _userns_remedy()),
    ]


def _namespaces() -> list[Feature]:
    return [_namespace(name, kind) for name, kind in NAMESPACES.items()]


def _mounts(folder: str) -> list[Feature]:
    masked = f"A masked /proc (podman, Kubernetes) forbids it; use a VM or {DEV_CONTAINER}."
    overlay = f"{USE_ROOT} Linux 5.11 allows it in a user namespace."
    if not _in_child(_own_mounts)[0]:  # it fails before it comes to what those say
        masked = overlay = USE_USERNS
    return [
        _feature("fresh /proc", _try_proc, masked),
        _feature("overlayfs", lambda: _try_overlay(folder), overlay),
        _feature("device nodes", lambda: _try_mknod(folder), USE_ROOT),
    ]


def _tracing() -> list[Feature]:
    remedy = "A seccomp filter or ptrace_scope 3 forbids it; ask who runs this machine."
    return [_feature("ptrace", _try_ptrace, remedy), _strace(), _feature("pidfd", _try_pidfd, "Needs Linux 5.3.")]


def _surroundings() -> list[Feature]:
    """Return what nearly every machine has, and is told only where it is missing."""
    tried = [
        _feature("own /proc", _try_own_proc, "Give one to what you start here: unshare --mount-proc COMMAND"),
        _feature(
            "reaped orphans",
            _try_orphan,
            "Start this container with an init (docker run --init). Until then each 'mdock run -d' leaves a zombie.",
        ),
    ]
    return [feature for feature in tried if not feature.works]


def _try_own_proc() -> str:
    if not proc_is_ours():
        raise OSError(errno.ENOENT, "/proc shows no process of this pid namespace")
    return "/proc shows this pid namespace"


def _try_orphan() -> str:
    """Try what happens to an orphan: its new parent must wait for it when it ends, or it stays a zombie (wait(2))."""
    if not proc_is_ours():
        return "nobody can see it"
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        orphan = os.fork()
        if orphan == 0:
            time.sleep(0.05)  # by then its parent is gone
            os._exit(0)
        os.write(write, b"%d" % orphan)
        os._exit(0)
    os.waitpid(child, 0)
    orphan = int(os.read(read, 32))
    heir, patience = parent(orphan), time.monotonic() + 2.0
    while state(orphan) is not None and heir == 1:  # another heir chose to be one, and has its own time for it
        if time.monotonic() > patience:
            raise OSError(errno.ECHILD, "process 1 does not wait for the processes that it inherits: they stay zombies")
        time.sleep(0.01)
    return "process 1 waits for what it inherits"


def _guards() -> list[Feature]:
    remedy = "Needs Linux 5.13 or later with landlock among the kernel's lsm= list."
    return [
        _feature("seccomp", _try_seccomp, "The kernel was built without seccomp filters."),
        _feature("landlock", _try_landlock, remedy),
    ]


def _sandbox() -> list[Feature]:
    """Try what a learner's code will run as, and what will keep its signals from the notebook."""
    own = not refusal(Wanted(mapped=IDENTITY))
    identity = Feature(
        name="sandbox identity",
        works=own,
        detail="as you, in a user namespace of its own" if own else "as you, plain: no user namespace for it",
        remedy="" if own else _userns_remedy(),
    )
    remedy = f"Needs seccomp filters, or Landlock with ABI {SIGNAL_SCOPE_ABI} (Linux 6.12)."
    return [identity, _feature("sandbox guard", _try_to_hold_signals, f"{remedy} Until then kill(-1) is not held off.")]


def _try_to_hold_signals() -> str:
    """Hold signals as the sandbox does, and then prove it.

    Signal 0 asks for permission and does nothing (kill(2)).
    """
    child = Child()
    for step in keep_signals_inside([os.getppid()]):
        apply(step, child)
    try:
        os.kill(os.getppid(), 0)
    except PermissionError:
        return _GUARDS[child.signals]
    raise OSError(errno.ENOTSUP, "a sandboxed process may signal your notebook")


_GUARDS = {
    "landlock": "Landlock's signal scope: no signal leaves a sandbox",
    "seccomp": "a seccomp filter: kill(-1) and signals to the notebook are refused (Landlock would hold all of them)",
}


def _feature(name: str, attempt: Callable[[], str], remedy: str) -> Feature:
    """Try it in a child; the detail is what the child said, or the errno that stopped it."""
    works, detail = _in_child(attempt)
    return Feature(name=name, works=works, detail=detail, remedy="" if works else remedy)


def _in_child(attempt: Callable[[], str]) -> tuple[bool, str]:
    """Return whether it worked in a child, and what the child said of it.

    A child that says nothing was killed.
    """
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            signal.alarm(PATIENCE)
            try:
                said = b"+" + attempt().encode()
            except OSError as error:
                said = f"-{_reason(error)}".encode()
            os.write(write, said)
        finally:
            os._exit(0)
    os.close(write)
    with open(read, "rb") as answer:
        said = answer.read()
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if not said:
        return False, f"the attempt was killed by {signal.Signals(-status).name}" if status < 0 else "the attempt broke"
    return said[:1] == b"+", said[1:].decode()


def _reason(error: OSError) -> str:
    """Return the errno's name and words, and what was refused where that is a file of /proc (others are temporary)."""
    where = f" ({error.filename})" if "/proc" in str(error.filename) else ""
    return f"{errorcode.get(error.errno or 0, error.errno)}: {error.strerror}{where}"


def _try_chroot(folder: str) -> str:
    _make(Chroot(folder), Chdir("/"))
    return "chroot works"


def _make(*steps: Step) -> None:
    """Apply these steps here, and survive no refusal."""
    child = Child()
    for step in steps:
        step.apply(child)


def _own_userns() -> list[Step]:
    return own_namespace(os.geteuid(), os.getegid())


def _try_userns(folder: str) -> str:
    """Try it to the end: some systems allow unshare and refuse uid_map or what comes after."""
    _make(*_own_userns(), Chroot(folder))
    return "unshare, uid_map and chroot inside it work"


def _userns_remedy() -> str:
    with suppress(OSError), open("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") as file:
        if file.read().strip() == "1":
            return "AppArmor restricts it: sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0"
    with suppress(OSError), open("/proc/sys/kernel/unprivileged_userns_clone") as file:
        if file.read().strip() == "0":
            return "Debian's switch is off: sudo sysctl kernel.unprivileged_userns_clone=1"
    with suppress(OSError), open("/proc/sys/user/max_user_namespaces") as file:
        if file.read().strip() == "0":
            return "Allow some: sudo sysctl user.max_user_namespaces=15000"
    return f"The surrounding container or hub forbids it; use a VM or {DEV_CONTAINER}."


def _namespace(name: str, kind: type[NewNamespace]) -> Feature:
    """Try it as ourselves, else inside a user namespace."""
    works, detail = _in_child(lambda: _unshared(kind))
    if works:
        return Feature(name=f"{name} namespace", works=True, detail="works as you are")

    def inside() -> str:
        _make(*_own_userns())
        return _unshared(kind)

    works, said = _in_child(inside)
    if works:
        detail = f"works inside a user namespace (as you are: {detail})"
    elif said != detail:
        detail = f"{detail}; inside a user namespace: {said}"
    return Feature(name=f"{name} namespace", works=works, detail=detail, remedy="" if works else USE_USERNS)


def _unshared(kind: type[NewNamespace]) -> str:
    _make(kind())
    return "works"


def _own_mounts() -> str:
    """Try a private mount namespace, through a user namespace where we are not root."""
    try:
        _make(NewMounts())
    except PermissionError:
        _make(*_own_userns(), NewMounts())
    _make(PrivateMounts())
    return "works"


def _try_proc() -> str:
    _own_mounts()
    _make(NewPids())
    pid = os.fork()
    if pid == 0:
        try:
            _make(MountProc("/proc"))
        except OSError as error:
            os._exit(error.errno or errno.EIO)
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if code:
        raise OSError(code, os.strerror(code), "mount /proc")
    return "a pid namespace gets its own /proc"


def _try_overlay(folder: str) -> str:
    _own_mounts()
    mount("tmpfs", folder, "tmpfs")
    for name in ("lower", "upper", "work", "merged"):
        os.mkdir(f"{folder}/{name}")
    options = f"lowerdir={folder}/lower,upperdir={folder}/upper,workdir={folder}/work"
    mount("overlay", f"{folder}/merged", "overlay", 0, options)
    return "overlay mounts work"


def _try_mknod(folder: str) -> str:
    os.mknod(f"{folder}/null", 0o600 | 0o020000, os.makedev(1, 3))
    return "mknod works"


def _try_ptrace() -> str:
    check(libc.ptrace(PTRACE_TRACEME, 0, 0, 0))
    return "a process may be traced"


def _strace() -> Feature:
    path = shutil.which("strace")
    if path is None:
        return Feature(
            name="strace", works=False, detail="not installed", remedy="Install it: sudo apt-get install strace"
        )
    command = [path, "-o", "/dev/null", "/bin/sh", "-c", ":"]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Feature(name="strace", works=False, detail=f"does not run: {error}", remedy="Reinstall strace.")
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
    try:
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, 0)
    except OSError as error:
        if error.errno != errno.EFAULT:  # EFAULT: the kernel has filters and went to read ours
            raise
    with open("/proc/self/status") as file:
        mode = next((line.split()[1] for line in file if line.startswith("Seccomp:")), "0")
    return "filters work" if mode == "0" else "filters work; this process is filtered already"


def _try_landlock() -> str:
    return f"ABI {asked_abi_version()}"


def _cgroups() -> list[Feature]:
    """Try cgroups, v1 and v2: are they mounted, and may we make a group."""
    mounts: dict[str, list[str]] = {"cgroup": [], "cgroup2": []}
    with suppress(OSError), open("/proc/self/mounts") as file:
        for line in file:
            fields = line.split()
            if fields[2] in mounts:
                mounts[fields[2]].append(fields[1])
    own = ""
    with suppress(OSError), open("/proc/self/cgroup") as file:
        own = next((line.strip()[3:] for line in file if line.startswith("0::")), "").rstrip("/")
    # systemd hands a user the group that the session runs in, not the one at the top
    second = [place + below for place in mounts["cgroup2"] for below in dict.fromkeys(("", own))]
    return [
        _cgroup("cgroup v1", mounts["cgroup"], "Nothing to do: v2 has taken its place."),
        _cgroup("cgroup v2", second, "Boot with systemd.unified_cgroup_hierarchy=1, or use a newer system."),
    ]


def _cgroup(name: str, places: list[str], absent: str) -> Feature:
    if not places:
        return Feature(name=name, works=False, detail="not mounted", remedy=absent)
    reasons = []
    for place in places:
        group = f"{place}/mdock-probe-{os.getpid()}"
        try:
            os.mkdir(group)
        except OSError as error:
            reasons.append(f"{errorcode.get(error.errno or 0, error.errno)}: {error.strerror} ({place})")
            continue
        os.rmdir(group)
        controllers = ""
        with suppress(OSError), open(f"{place}/cgroup.controllers") as file:
            controllers = f", controllers: {file.read().strip() or 'none'}"
        return Feature(name=name, works=True, detail=f"writable at {place}{controllers}")
    remedy = "Run as root, or ask systemd for a delegated group."
    return Feature(name=name, works=False, detail=reasons[0], remedy=remedy)


def _busybox() -> Feature:
    path = next(filter(None, map(shutil.which, ("busybox", "busybox-static", "busybox.static"))), None)
    if path is None:
        return Feature(
            name="busybox",
            works=False,
            detail="not installed; mdock copies this machine's own programs instead",
            remedy="Install it: sudo apt-get install busybox-static",
        )
    static = False
    with suppress(OSError), open(path, "rb") as file:
        static = b"/ld-" not in file.read(4096)  # the loader's path stands at the front; no pyelftools here
    return Feature(
        name="busybox",
        works=static,
        detail=f"{path}, {'static' if static else 'dynamic'}",
        remedy="" if static else "Install the static one: sudo apt-get install busybox-static",
    )
