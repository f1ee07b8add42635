"""What a container writes, on its way to its log and to the caller."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from udock_lab.runtime.protocol import STDERR, STDOUT
from udock_lab.runtime.state.home import DISK_FULL, Home, storage_error
from udock_lab.runtime.state.tables import open_plain
from udock_lab.wire.loop import Loop

__all__ = ["Log", "Output", "log_limit", "read_some"]

_CHUNK = 1 << 16
_ROOM = 1 << 16  # bytes that a log gives back when it has filled the disk: the records need a little


def log_limit() -> int:
    """Return the bytes that one container's log may hold: ``$MDOCK_LOG_LIMIT``, or 1 GiB."""
    with suppress(ValueError):
        return int(os.environ.get("MDOCK_LOG_LIMIT", ""))
    return 1 << 30


def read_some(fd: int) -> bytes | None:
    """Read what is there: None when nothing is yet, empty at the end (a terminal says EIO then)."""
    try:
        return os.read(fd, _CHUNK)
    except BlockingIOError:
        return None
    except OSError as error:
        if error.errno == errno.EIO:
            return b""
        raise


class Log:
    """``logs/<id>.log``. Where it cannot be written, or is full, the program runs on, and ``notes`` say so."""

    def __init__(self, home: Home, limit: int, notes: list[str]) -> None:
        self._home, self._limit, self._notes = home, limit, notes
        self._name = ""
        self._fd = -1
        self._size = 0

    def open(self, container_id: str) -> None:
        """Open it for appending."""
        self._name = container_id
        path, flags = self._home.container_log(container_id), os.O_WRONLY | os.O_CREAT | os.O_APPEND
        try:
            try:
                self._fd = open_plain(path, flags)
            except FileNotFoundError:  # somebody removed the folder
                self._home.create()
                self._fd = open_plain(path, flags)
        except OSError as error:
            self._notes.append(f"{container_id} has no log: {storage_error(error, self._home.path)}")

    def write(self, data: bytes) -> None:
        """Write it, up to the limit; nothing where there is no log any more."""
        if self._fd < 0:
            return
        room = self._limit - self._size
        try:
            view = memoryview(data)[: max(0, room)]
            while view:
                done = os.write(self._fd, view)
                self._size += done
                view = view[done:]
            if len(data) > room:
                os.write(self._fd, b"\n[mdock] the log is full at %d bytes; the program runs on\n" % self._limit)
        except OSError as error:
            self._notes.append(f"the log of {self._name} is incomplete: {error.strerror}")
            if error.errno in DISK_FULL:
                self._give_room_back()
            room = -1
        if len(data) > room:
            self.close()

    def close(self) -> None:
        """Close it."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _give_room_back(self) -> None:
        """Cut the log short, with a notice, so that the container's end can still be recorded."""
        with suppress(OSError):
            size = os.fstat(self._fd).st_size
            os.ftruncate(self._fd, max(0, size - _ROOM - os.stat(self._home.containers_db).st_size))
            os.write(self._fd, b"\n[mdock] the disk is full, so the log ends here; the program runs on\n")


def _nothing(*_: object) -> None:
    """Do nothing."""


class Output:
    """Moves output chunk by chunk: two pipes, or a terminal.

    ``first`` is called before anything is passed on, for the news that come before it. While it is paused, what the
    program writes waits in the pipes, and then the program.
    """

    def __init__(
        self, loop: Loop, log: Log, pass_on: Callable[[bytes, bytes], None], first: Callable[[], None]
    ) -> None:
        self._loop, self._log = loop, log
        self._pass_on, self._first = pass_on, first
        self._streams: dict[int, bytes] = {}
        self._watched: set[int] = set()
        self._master = -1

    def watch_pipes(self, stdout: int, stderr: int) -> None:
        """Move what comes through these two; from now on they are closed here."""
        self._streams = {stdout: STDOUT, stderr: STDERR}
        self._watched = {stdout, stderr}
        self._loop.watch(stdout, partial(self._pump, stdout))
        self._loop.watch(stderr, partial(self._pump, stderr), beside=stdout)  # in the order in which they write

    def watch_terminal(self, master: int) -> None:
        """Move what comes from a terminal; that is closed elsewhere."""
        self._master = master
        self._streams, self._watched = {master: STDOUT}, {master}
        self._loop.watch(master, partial(self._pump, master))

    def pause(self) -> None:
        """Take nothing more until :meth:`resume`."""
        for fd in self._watched:
            self._loop.pause(fd)

    def resume(self) -> None:
        """Go on after :meth:`pause`."""
        for fd in self._watched:
            self._loop.resume(fd)

    def drain(self) -> None:
        """Take the rest: every writer is dead, so what is there now is all there will be."""
        for fd in self._watched:
            self._loop.forget(fd)
        self._watched.clear()
        for fd, stream in list(self._streams.items()):
            while data := read_some(fd):
                self._move(stream, data)
        self.close()

    def close(self) -> None:
        """Close the pipes, for good."""
        for fd in list(self._streams):
            self._close(fd)
        self._pass_on = self._first = _nothing

    def _pump(self, fd: int, _: int) -> None:
        data = read_some(fd)
        if data is None:
            return
        if data:
            stream = self._streams[fd]
            self._first()
            self._move(stream, data)
        elif fd == self._master:  # a terminal that was hung up stays until its program has ended
            self._watched.discard(fd)
            self._loop.forget(fd)
        else:
            self._close(fd)

    def _move(self, stream: bytes, data: bytes) -> None:
        self._log.write(data)
        self._pass_on(stream, data)

    def _close(self, fd: int) -> None:
        del self._streams[fd]
        self._watched.discard(fd)
        self._loop.forget(fd)
        if fd != self._master:
            os.close(fd)
