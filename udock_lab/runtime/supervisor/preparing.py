"""The steps before the start gate: a child that forks on its way says which process will be the program."""

from __future__ import annotations

import _socket as socket
from collections.abc import Callable
from contextlib import suppress

from udock_lab.runtime.child.forker import LocalForker, RemoteForker
from udock_lab.runtime.child.fresh import Fresh
from udock_lab.runtime.child.launch import PREPARED
from udock_lab.wire.framing import take
from udock_lab.wire.loop import Loop

__all__ = ["Preparation"]

_CREDENTIALS = socket.CMSG_SPACE(12)  # struct ucred: pid, uid, gid


class Preparation:
    """Waits until the child, or the one which it forked, is prepared, or has ended; then calls ``done``.

    The kernel says who is prepared: it adds the sender's pid, as we know it, to what passes the socket (unix(7),
    SO_PASSCRED). That process is adopted: it is the child from then on.
    """

    def __init__(self, loop: Loop, forker: LocalForker | RemoteForker, child: Fresh, done: Callable[[], None]) -> None:
        self._loop, self._forker, self._child, self._done = loop, forker, child, done

    def begin(self) -> None:
        """Listen. The child is to be briefed after that."""
        self._child.sync.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self._loop.watch(self._child.sync, self._on_word)

    def cancel(self) -> None:
        """Listen no more."""
        self._loop.forget(self._child.sync)

    def _on_word(self, _: int) -> None:
        """Hear who is prepared. Without a word all of them have ended, and their reports say why."""
        self.cancel()
        try:
            word, _fds, pid = take(self._child.sync, len(PREPARED), _CREDENTIALS)
        except OSError:
            word, pid = b"", 0
        self._child.sync.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 0)
        if word == PREPARED and pid != self._child.pid:
            with suppress(OSError):  # it has ended meanwhile
                self._adopt(pid)
        self._done()

    def _adopt(self, pid: int) -> None:
        pidfd = self._forker.adopt(pid, self._child.forked)
        self._child.is_succeeded_by(pid, pidfd)
        self._forker.reap(self._child.forked)
