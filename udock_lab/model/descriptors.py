"""Which descriptor stands for which open file, in which process: what the system calls that were seen make of it.

A descriptor is a number in one process. Behind it stands an *open file description* (open(2)): file, offset and
flags. ``dup`` and ``fork`` make more descriptors for the same one, which is why they share its offset.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from udock_lab.model.sandboxes import SystemCall
from udock_lab.model.value import Value, field, replace

__all__ = [
    "AT_ONCE",
    "Descriptor",
    "OpenFile",
    "OpenFiles",
    "after_call",
    "after_end",
    "at_the_start",
    "in_their_order",
]


class OpenFile(Value):
    """An open file description. ``kind`` is ``file``, ``pipe``, ``socket`` or ``other``; ``access`` is r, w, rw.

    ``offset`` is None where there is none, or where the calls do not tell it (O_APPEND). The two ends of a pipe are two
    of these, with the same ``name``.
    """

    number: int
    kind: str
    name: str
    access: str
    offset: int | None = None
    append: bool = False

    @property
    def described(self) -> str:
        """The file in words: ``pipe 1, write end``."""
        return f"{self.name}, {'read' if self.access == 'r' else 'write'} end" if self.kind == "pipe" else self.name


class Descriptor(Value):
    """One number in one process, and the number of its open file; ``closes`` at exec (FD_CLOEXEC)."""

    fd: int
    file: int
    closes: bool = False


class OpenFiles(Value):
    """All tables at one moment: by process its descriptors in order, and every open file that was ever seen."""

    tables: Mapping[int, tuple[Descriptor, ...]] = field(factory=dict)
    files: tuple[OpenFile, ...] = ()
    pipes: int = 0

    def file_of(self, pid: int, fd: int) -> OpenFile | None:
        """Return what stands behind a descriptor, None for one that is not open, or of which no call told."""
        found = [one for one in self.tables.get(pid, ()) if one.fd == fd]
        return self.files[found[0].file] if found else None

    def holders(self, file: OpenFile) -> Iterator[tuple[int, int]]:
        """Yield process and descriptor of all who hold it open."""
        for pid, table in self.tables.items():
            for one in table:
                if one.file == file.number:
                    yield pid, one.fd

    def other_end(self, file: OpenFile) -> OpenFile | None:
        """Return the other end of a pipe."""
        ends = [one for one in self.files if one.kind == "pipe" and one.name == file.name and one.access != file.access]
        return ends[0] if ends and file.kind == "pipe" else None


_FORKS = frozenset(("clone", "clone3", "fork", "vfork"))
AT_ONCE = _FORKS | {"exit_group", "write", "close"}
_MAKES = {  # calls that make one descriptor: what kind of open file, its name
    "socket": ("socket", "socket"), "accept": ("socket", "connection"), "accept4": ("socket", "connection"),
    "memfd_create": ("file", "memory"), "eventfd2": ("other", "eventfd"), "epoll_create1": ("other", "epoll"),
    "pidfd_open": ("other", "pidfd"), "signalfd4": ("other", "signalfd"), "timerfd_create": ("other", "timerfd"),
    "inotify_init1": ("other", "inotify"),
}  # fmt: skip
_MOVES = frozenset(("read", "write", "readv", "writev"))  # the offset, by what they return
_TEXT = re.compile(r'"((?:[^"\\]|\\.)*)"')
_PAIR = re.compile(r"\[(\d+), (\d+)\]")


def in_their_order(calls: tuple[SystemCall, ...]) -> list[SystemCall]:
    """Return calls in the order in which they took effect: when they returned; those that do not wait, at once.

    What a fork, an exit, a write or a close brings about for others they may see before the caller hears of it.
    """
    return sorted(calls, key=lambda call: call.start if call.name in AT_ONCE else call.end)


def at_the_start(pid: int) -> OpenFiles:
    """Return what the first process of a sandbox has: no input, and two ways out."""
    files = (
        OpenFile(number=0, kind="other", name="/dev/null", access="r"),
        OpenFile(number=1, kind="socket", name="standard output", access="w"),
        OpenFile(number=2, kind="socket", name="standard error", access="w"),
    )
    return OpenFiles(tables={pid: tuple(Descriptor(fd=fd, file=fd) for fd in range(3))}, files=files)


def after_end(seen: OpenFiles, pid: int) -> OpenFiles:
    """Return what is left when a process has ended: nothing of its own is open."""
    return replace(seen, tables={one: table for one, table in seen.tables.items() if one != pid})


def after_call(seen: OpenFiles, call: SystemCall) -> OpenFiles:
    """Return what is open after a call. One that failed changes nothing, nor does one of a process not known."""
    if call.name == "exit_group":
        return after_end(seen, call.pid)
    value = call.value
    if call.errno or value is None or call.pid not in seen.tables:
        return seen
    if call.name in _FORKS:
        return _forked(seen, call, value)
    if call.name in ("execve", "execveat"):
        return _with(seen, call.pid, [one for one in seen.tables[call.pid] if not one.closes])
    if call.name in ("open", "openat", "openat2", "creat"):
        return _opened(seen, call, value)
    if call.name in _MAKES:
        kind, name = _MAKES[call.name]
        name = f"memory {text[1]}" if name == "memory" and (text := _TEXT.search(call.arguments)) else name
        return _made(seen, call, [(value, kind, name, "rw")])
    if call.name in ("pipe", "pipe2", "socketpair"):
        return _pair(seen, call)
    numbers = [int(found) if found.isdigit() else 0 for found in re.split(r",\s*", call.arguments)]
    change = _CHANGES.get(call.name)
    return change(seen, call, numbers, value) if change is not None else seen


def _forked(seen: OpenFiles, call: SystemCall, child: int) -> OpenFiles:
    if "CLONE_THREAD" in call.arguments:
        return seen
    return replace(seen, tables={**seen.tables, child: seen.tables[call.pid]})


def _opened(seen: OpenFiles, call: SystemCall, fd: int) -> OpenFiles:
    text = _TEXT.search(call.arguments)
    name = text[1] if text else "?"
    access = (
        "rw" if "O_RDWR" in call.arguments else "w" if "O_WRONLY" in call.arguments or call.name == "creat" else "r"
    )
    seen = _made(seen, call, [(fd, "other" if name.startswith("/dev/") else "file", name, access)])
    if "O_APPEND" in call.arguments or "O_DIRECTORY" in call.arguments:
        return _moved(seen, seen.files[-1], None, append="O_APPEND" in call.arguments)
    return seen


def _pair(seen: OpenFiles, call: SystemCall) -> OpenFiles:
    ends = _PAIR.search(call.arguments)
    if ends is None:
        return seen
    one, other = int(ends[1]), int(ends[2])
    name = f"{'pipe' if call.name != 'socketpair' else 'socket pair'} {seen.pipes + 1}"
    seen = replace(seen, pipes=seen.pipes + 1)
    if call.name == "socketpair":
        return _made(seen, call, [(one, "socket", name, "rw"), (other, "socket", name, "rw")])
    return _made(seen, call, [(one, "pipe", name, "r"), (other, "pipe", name, "w")])


def _made(seen: OpenFiles, call: SystemCall, made: list[tuple[int, str, str, str]]) -> OpenFiles:
    """Add open files, with a descriptor each; O_CLOEXEC and its kin stand among the arguments."""
    closes = "CLOEXEC" in call.arguments or call.name == "pidfd_open"
    table, files = list(seen.tables[call.pid]), list(seen.files)
    for fd, kind, name, access in made:
        file = OpenFile(number=len(files), kind=kind, name=name, access=access, offset=0 if kind == "file" else None)
        files.append(file)
        table = [*_without(table, fd), Descriptor(fd=fd, file=file.number, closes=closes)]
    return _with(replace(seen, files=tuple(files)), call.pid, table)


def _closed(seen: OpenFiles, call: SystemCall, numbers: list[int], _value: int) -> OpenFiles:
    return _with(seen, call.pid, _without(seen.tables[call.pid], numbers[0]))


def _closed_range(seen: OpenFiles, call: SystemCall, numbers: list[int], _value: int) -> OpenFiles:
    first, last = numbers[:2]
    within = [one for one in seen.tables[call.pid] if first <= one.fd <= last]
    others = [one for one in seen.tables[call.pid] if one not in within]
    kept = [replace(one, closes=True) for one in within] if "CLOEXEC" in call.arguments else []
    return _with(seen, call.pid, others + kept)


def _doubled(seen: OpenFiles, call: SystemCall, numbers: list[int], value: int) -> OpenFiles:
    if call.name in ("dup2", "dup3") and numbers[0] == value:
        return seen
    file = seen.file_of(call.pid, numbers[0])
    table = _without(seen.tables[call.pid], value)
    if file is not None:
        table.append(Descriptor(fd=value, file=file.number, closes="CLOEXEC" in call.arguments))
    return _with(seen, call.pid, table)


def _controlled(seen: OpenFiles, call: SystemCall, numbers: list[int], value: int) -> OpenFiles:
    """Follow what fcntl and ioctl do to a descriptor: another one, or whether it closes at exec."""
    if "F_DUPFD" in call.arguments:
        return _doubled(seen, call, numbers, value)
    if "F_SETFD" in call.arguments or "CLEX" in call.arguments:
        closes = "FD_CLOEXEC" in call.arguments or "FIOCLEX" in call.arguments
        changed = [replace(one, closes=closes) if one.fd == numbers[0] else one for one in seen.tables[call.pid]]
        return _with(seen, call.pid, changed)
    return seen


def _read_or_written(seen: OpenFiles, call: SystemCall, numbers: list[int], value: int) -> OpenFiles:
    file = seen.file_of(call.pid, numbers[0])
    if file is None or file.offset is None:
        return seen
    return _moved(seen, file, value if call.name == "lseek" else file.offset + value, append=file.append)


def _sent(seen: OpenFiles, call: SystemCall, numbers: list[int], value: int) -> OpenFiles:
    """Follow a copy between two descriptors; where it is told a place, the offset stays (sendfile(2))."""
    words = re.split(r",\s*", call.arguments)
    into_first = call.name == "sendfile"
    ends = (words[0], "NULL"), (words[1], words[2])
    if not into_first:
        ends = (words[0], words[1]), (words[2], words[3])
    for fd, place in ends:
        file = seen.file_of(call.pid, int(fd)) if place == "NULL" else None
        if file is not None and file.offset is not None:
            seen = _moved(seen, file, file.offset + value, append=file.append)
    return seen


_CHANGES = {
    "close": _closed, "close_range": _closed_range, "dup": _doubled, "dup2": _doubled, "dup3": _doubled,
    "fcntl": _controlled, "ioctl": _controlled, "lseek": _read_or_written, "sendfile": _sent, "copy_file_range": _sent,
    **dict.fromkeys(_MOVES, _read_or_written),
}  # fmt: skip


def _moved(seen: OpenFiles, file: OpenFile, offset: int | None, *, append: bool) -> OpenFiles:
    changed = replace(file, offset=offset, append=append)
    return replace(seen, files=(*seen.files[: file.number], changed, *seen.files[file.number + 1 :]))


def _without(table: tuple[Descriptor, ...] | list[Descriptor], fd: int) -> list[Descriptor]:
    return [one for one in table if one.fd != fd]


def _with(seen: OpenFiles, pid: int, table: list[Descriptor]) -> OpenFiles:
    return replace(seen, tables={**seen.tables, pid: tuple(sorted(table, key=lambda one: one.fd))})
