"""What the sandbox runs: each call of enter in a process of its own.

That process stays at a gate until its parent has asked the kernel where its root and its working directory are:
/proc/PID/root and /proc/PID/cwd are not for the caller's code to say. Then it goes into a folder that only the new root
holds, by three paths, for strace's record: where the kernel says 0 there, it was inside.
"""

from __future__ import annotations

import gc
import io
import marshal
import os
import select
import signal
import sys
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from posix import geteuid, listdir, stat

from udock_lab.grading.inside import high_pipe, said
from udock_lab.linux.capabilities import drop_capabilities
from udock_lab.linux.load import crowd
from udock_lab.linux.namespaces import CLONE_NEWUSER, unshare
from udock_lab.linux.prctl import PR_SET_DUMPABLE, prctl
from udock_lab.linux.seccomp_filters import refuse_chroot

__all__ = ["BEGINS", "DESK", "PROOF", "each_in_a_process"]

DESK = "srv"  # where the calls are made from: not where the answer was loaded
BEGINS = "{0}, call {1}"  # a folder that is not there: by it a process is found in the record
PROOF = ("{0}", "../" * 30 + "{0}", "/{0}")  # the last three calls of a process that came back
AT_ONCE = 8  # calls: each process has its own copy of what the answer imports
SECONDS = 4  # for so many, on a quiet machine
LONGEST = 4096  # bytes of an output that are looked at
CLOSED = ("closed", "shut")

Enter = Callable[[str], object]
_streams: list[io.TextIOWrapper | io.BufferedWriter] = []  # of the answer's own too, from before the first call


def each_in_a_process(
    enter: Enter, *, rootfs: str, token: str, tries: Sequence[tuple[str, str, int]]
) -> tuple[bool, list[dict[str, object]]]:
    """Make all calls, some at once; return whether chroot is permitted here, and what is known of each call.

    A try is a path (absolute where it begins with ``./``), the rights of the caller (empty, ``none``, ``not root``, or
    the errno that each chroot answers) and how often it calls.
    """
    places = _furnish(rootfs, token)
    here = os.getcwd()
    warnings.simplefilter("always", append=True)  # a warning is shown each time, not once for each line
    _streams.extend(one for one in gc.get_objects() if isinstance(one, io.TextIOWrapper | io.BufferedWriter))
    gc.freeze()  # what is here needs no second look in each child
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    known: list[dict[str, object]] = []
    try:
        for at in range(0, len(tries), AT_ONCE):
            begun = [
                _begin(enter, number, f"{here}/{path[2:]}" if path[:2] == "./" else path, rights, times, token)
                for number, (path, rights, times) in list(enumerate(tries))[at : at + AT_ONCE]
            ]
            seconds = 1 if any("late" in one for one in known) else SECONDS
            deadline = time.monotonic() + seconds * crowd(5)
            known += [_end(one, deadline, places) for one in begun]
        return _may_chroot(), known
    finally:
        for name in CLOSED:
            os.chmod(name, 0o755)


def _furnish(rootfs: str, token: str) -> dict[tuple[int, int], str]:
    """Make the folders that paths lead to, and go where the calls are made from; return the places by inode."""
    os.mkdir(DESK)
    os.chdir(DESK)
    for name in ("etc", "tmp", "a folder", token):
        os.makedirs(f"{rootfs}/{name}")
    os.makedirs("box")
    os.symlink(f"../{rootfs}", "box/a link")  # it starts where it stands (symlink(7))
    os.symlink(os.path.dirname(rootfs), "half way")
    os.symlink(rootfs, "a blank ")
    os.makedirs("closed/inside")
    os.makedirs("shut")
    for name in CLOSED:
        os.chmod(name, 0)
    with open("plain file", "w") as file:
        file.write("no folder")
    named = {"rootfs": rootfs, "/": "/", "where it was": "."}
    return {_id(path): name for name, path in named.items()}


def _may_chroot() -> bool:
    """Try whether chroot is permitted; / stays the root."""
    try:
        os.chroot("/")
    except OSError:
        return False
    return True


def _id(path: str) -> tuple[int, int]:
    found = stat(path)
    return found.st_dev, found.st_ino


# --- one call, in its process


def _begin(enter: Enter, number: int, path: str, rights: str, times: int, token: str) -> tuple[int, int, int]:
    """Start it; return its pid, where it tells, and its gate."""
    word, gate = high_pipe(), high_pipe()
    pid = os.fork()
    if pid:
        os.close(word[1])
        os.close(gate[0])
        return pid, word[0], gate[1]
    try:
        os.close(gate[1])  # or a child that enter leaves behind could keep the gate shut for ever
        with suppress(OSError):
            os.chdir(BEGINS.format(token, number))
        _write_apart()
        told = marshal.dumps(_call(enter, path, rights, times))
        os.write(word[1], len(told).to_bytes(4) + told)
        os.read(gate[0], 1)
        for one in PROOF:
            with suppress(OSError):
                os.chdir(one.format(token))
    finally:
        os._exit(0)


def _write_apart() -> None:
    """Let what is written to 1 and 2 from here on be this process's alone."""
    for fd in (1, 2):
        kept = os.memfd_create("written")
        os.dup2(kept, fd)
        os.close(kept)


def _call(enter: Enter, path: str, rights: str, times: int) -> dict[str, object]:
    """Call enter as often as that, and tell what it said, what it wrote and what it left open."""
    try:
        _prepare(rights)
    except OSError as error:
        return {"unprepared": str(error)}
    me = os.getpid()
    fds = os.open("/proc/self/fd", os.O_RDONLY)  # still readable when /proc is not
    before = _open(fds)
    here = os.getcwd()
    calls = []
    for number in range(times):
        if number:
            with suppress(OSError):  # a root that it was not to have: the working directory tells
                os.chdir(here)
        calls.append(_said_and_written(enter, path))
        if os.getpid() != me:
            os._exit(0)  # a child of enter's that has come out of it
    gc.collect()  # a file that nobody can reach any more is closed by that
    left = [f"{fd} ({place})" for fd, place in _open(fds).items() if fd not in before]
    return {"calls": calls, "left": left, "above": _above(), "uid": geteuid()}


def _prepare(rights: str) -> None:
    if rights == "none":
        drop_capabilities()
    elif rights == "not root" and not geteuid():  # nobody in a namespace below, with every capability there:
        unshare(CLONE_NEWUSER)  # a user id that is not mapped reads as 65534 (user_namespaces(7))
        prctl(PR_SET_DUMPABLE, 1)  # else our parent may not look into our /proc
    elif rights.isdigit():
        refuse_chroot(int(rights))


def _said_and_written(enter: Enter, path: str) -> dict[str, object]:
    start = [_size(fd) for fd in (1, 2)]
    told = said(enter, path)
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()  # a line without its end waits there
    stdout, stderr = (_written(fd, begin) for fd, begin in zip((1, 2), start, strict=True))
    late = "" if stderr or stdout else _in_buffers(start[1])
    return {"said": told, "stdout": stdout, "stderr": stderr, "late": late}


def _size(fd: int) -> int:
    try:
        return os.fstat(fd).st_size
    except OSError:  # closed by enter
        return 0


def _written(fd: int, start: int) -> str:
    try:
        return os.pread(fd, LONGEST, start).decode(errors="replace")
    except OSError:
        return ""


def _in_buffers(start: int) -> str:
    """Return what waits in a buffer of the answer's own, on its way to standard error."""
    for one in [*_streams, *gc.get_objects()]:
        if isinstance(one, io.TextIOWrapper | io.BufferedWriter):
            with suppress(OSError, ValueError):
                one.flush()
    return _written(2, start)


def _open(fds: int) -> dict[str, str]:
    """Return the open descriptors and where they lead."""
    found = {}
    for fd in sorted(listdir(fds), key=int):
        with suppress(OSError):  # the one by which listdir itself read is closed again
            found[fd] = os.readlink(fd, dir_fd=fds)
    return found


def _above() -> list[str]:
    """Return what a process without any right sees above its working directory."""
    try:
        drop_capabilities()
        return sorted(listdir("../.."))[:40]
    except OSError as error:
        return [str(error)]


# --- what the parent finds out about it


def _end(begun: tuple[int, int, int], deadline: float, places: Mapping[tuple[int, int], str]) -> dict[str, object]:
    """Hear it, ask the kernel where it is, and let it go."""
    pid, word, gate = begun
    told = _heard(word, deadline)
    root, cwd = (_where(f"/proc/{pid}/{link}", places) for link in ("root", "cwd"))
    users = _where(f"/proc/{pid}/ns/user", {_id("/proc/self/ns/user"): "ours"})
    if told is None:
        os.kill(pid, signal.SIGKILL)
    with suppress(OSError):  # it has ended
        os.write(gate, b"x")
    for fd in (word, gate):
        os.close(fd)
    _, status = os.waitpid(pid, 0)
    known: dict[str, object] = {"root": root, "cwd": cwd, "users": users, "status": status}
    if told is None:
        return known | {"late": round(SECONDS * crowd(5))}
    return known | told


def _heard(fd: int, deadline: float) -> dict[str, object] | None:
    """Return what it tells: None where it does not come back, nothing where it has ended."""
    data = b""
    while len(data) < 4 or len(data) < 4 + int.from_bytes(data[:4]):
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
            return None
        more = os.read(fd, 1 << 16)
        if not more:
            return {}
        data += more
    told = marshal.loads(data[4:])  # noqa: S302 - said by the answer's own process, in its sandbox
    return told if isinstance(told, dict) else {}


def _where(link: str, places: Mapping[tuple[int, int], str]) -> str:
    try:
        return places.get(_id(link), "elsewhere")
    except OSError as error:
        return f"not to be seen ({error.strerror})"
