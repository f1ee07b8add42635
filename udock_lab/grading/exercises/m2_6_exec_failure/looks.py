"""What /proc shows of the caller and of its children to a process that never loaded the answer (proc(5))."""

from __future__ import annotations

import os
import time
from collections.abc import Collection
from contextlib import suppress
from typing import Any

from udock_lab.grading.inside import content_of
from udock_lab.linux.process import descendants, parent

__all__ = ["Descriptors", "at_the_gate", "faults_of_children", "names_a_file", "of_a_program", "opened", "program_of"]

_ACCESS = 0o3  # O_RDONLY, O_WRONLY and O_RDWR, in the flags of fdinfo
_LONGEST_PATH = 4096


class Descriptors:
    """The descriptors of a process, number to what each leads to; ``since``: without those of an earlier look."""

    def __init__(self, pid: int, since: Descriptors | None = None) -> None:
        self.pid = pid
        known: dict[int, str] = since.all if since is not None else {}
        self.all: dict[int, str] = {fd: link for fd, link in opened(pid).items() if known.get(fd) != link}

    def kinds(self) -> list[str]:
        """Return pipe, socket, anon_inode or a path, each once."""
        return sorted({link.partition(":")[0] for link in self.all.values()})

    def of_kind(self, kind: str) -> set[str]:
        """Return the pipes, or the sockets, themselves."""
        return {link for link in self.all.values() if link.startswith(f"{kind}:")}

    def access(self, fd: int) -> int | None:
        """Return O_RDONLY, O_WRONLY or O_RDWR; None where it is closed by now."""
        text = content_of(f"/proc/{self.pid}/fdinfo/{fd}") or ""
        flags = [line.split()[1] for line in text.splitlines() if line.startswith("flags:")]
        return int(flags[0], 8) & _ACCESS if flags else None

    def holds_a_write_end(self) -> bool:
        """Return whether it could write to what it reads from: of a socket pair the reader's own end is one."""
        modes = [self.access(fd) for fd in self.all]
        return modes.count(os.O_RDWR) > 1 or os.O_WRONLY in modes

    def can_write(self) -> bool:
        """Return whether there is any that can be written to."""
        return any(self.access(fd) in (os.O_WRONLY, os.O_RDWR) for fd in self.all)

    def read_ends(self) -> list[int]:
        """Open the pipes among them once more, to see what is left in them."""
        ends = []
        for fd, link in self.all.items():
            if link.startswith("pipe:") and self.access(fd) == os.O_RDONLY:
                with suppress(OSError):
                    ends.append(os.open(f"/proc/{self.pid}/fd/{fd}", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC))
        return ends


def opened(pid: int) -> dict[int, str]:
    """Return what its descriptors lead to."""
    found: dict[int, str] = {}
    with suppress(OSError):
        for name in os.listdir(f"/proc/{pid}/fd"):
            with suppress(OSError):  # the listing's own
                found[int(name)] = os.readlink(f"/proc/{pid}/fd/{name}")
    return found


def program_of(pid: int) -> str:
    """Return the file that it runs; empty where that can't be seen."""
    with suppress(OSError):
        return os.readlink(f"/proc/{pid}/exe")
    return ""


def at_the_gate(gate: str, besides: Collection[int]) -> list[int]:
    """Return who reads from this file as its standard input, below this process, besides those."""
    return [pid for pid in descendants(os.getpid()) if pid not in besides and _input(pid) == gate]


def _input(pid: int) -> str:
    with suppress(OSError):
        return os.readlink(f"/proc/{pid}/fd/0")
    return ""


def of_a_program(pid: int) -> dict[str, Any]:
    """Return parent, words, variables and descriptors of a program that waits at its gate.

    From 10 on a shell keeps copies of what its own first three were.
    """
    fds, more = opened(pid), _more(pid)
    for _ in range(2):  # what it opens in passing is not there each time
        if more:
            time.sleep(0.005)
            more &= _more(pid)
    return {
        "parent": parent(pid),
        "words": (content_of(f"/proc/{pid}/cmdline") or "").split("\0")[:-1],
        "variables": (content_of(f"/proc/{pid}/environ") or "").split("\0")[:-1],
        "streams": [fds.get(1, ""), fds.get(2, "")],
        "more": sorted(more),
    }


def _more(pid: int) -> set[int]:
    fds = opened(pid)
    kept = {link for fd, link in fds.items() if fd < 3} | {os.readlink("/proc/self/fd/0")}
    return {fd for fd, link in fds.items() if fd > 2 and not (fd >= 10 and link in kept)}


def faults_of_children(pid: int) -> int:
    """Return a number that grows when a process collects a child that has run (proc_pid_stat(5), cminflt)."""
    fields = (content_of(f"/proc/{pid}/stat") or "").rpartition(")")[2].split()
    return int(fields[8]) if fields else 0


def names_a_file(pid: int, path: str, address: int) -> bool:
    """Return whether a process has the name of this file there; True where its memory can't be seen."""
    try:
        fd = os.open(f"/proc/{pid}/mem", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return True
    try:
        data = os.pread(fd, min(_LONGEST_PATH, 4096 - address % 4096), address)
        if b"\0" not in data:
            data += os.pread(fd, _LONGEST_PATH, address + len(data))
        name = os.path.join(os.readlink(f"/proc/{pid}/cwd"), os.fsdecode(data.partition(b"\0")[0]))
        return os.path.normpath(name) == path or os.path.samefile(name, path)
    except OSError:
        return False
    finally:
        os.close(fd)


def word_at(pid: int, address: int) -> int:
    """Return 64 bits of its memory; 0 where that can't be seen."""
    with suppress(OSError):
        fd = os.open(f"/proc/{pid}/mem", os.O_RDONLY | os.O_CLOEXEC)
        try:
            return int.from_bytes(os.pread(fd, 8, address), "little")
        finally:
            os.close(fd)
    return 0
