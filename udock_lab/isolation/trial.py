"""Does it work here? Tried to the end in a child that ends with it: a machine may permit a call and refuse the next.

For single-threaded callers: it forks.
"""

from __future__ import annotations

import _socket as socket
import errno
import os

from udock_lab.isolation.ask import ASKS, answer
from udock_lab.isolation.sequence import steps_of
from udock_lab.isolation.step import Child, apply
from udock_lab.model.jsontext import from_json, to_json
from udock_lab.model.plain import revive_tagged, tagged

TYPE_CHECKING = False
if TYPE_CHECKING:
    from udock_lab.isolation.ask import Ask
    from udock_lab.isolation.wanted import Wanted

__all__ = ["refusal"]

_WORKS, _REFUSED, _ASKS = b"+", b"-", b"?"
_MOST = 1 << 16  # bytes of one message


def refusal(wanted: Wanted) -> str:
    """Put all of it on and see: empty where it works, else the errno, its words, and what was refused."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    pid = os.fork()
    if pid == 0:
        try:
            ours.close()
            theirs.send(_attempt(wanted, theirs))
        finally:
            os._exit(0)
    theirs.close()
    said = b""
    while (message := ours.recv(_MOST)) and not said:
        if message.startswith(_ASKS):
            ours.send(b"%d" % answer(revive_tagged(ASKS, from_json(message[1:])), pid))
        else:
            said = message
    ours.close()
    os.waitpid(pid, 0)
    return said[1:].decode() if said else "the attempt was killed"


class _Outside:
    """The trial's parent, as its child sees it."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock

    def ask(self, ask: Ask) -> int:
        self.sock.send(_ASKS + to_json(tagged(ask)))
        return int(self.sock.recv(_MOST) or errno.EPIPE)

    def inside(self) -> None:
        """Tell nobody."""

    def ended(self, status: int) -> None:
        """Tell nobody."""

    def alone(self) -> None:
        """Tell nobody."""


def _attempt(wanted: Wanted, sock: socket.socket) -> bytes:
    child = Child(wanted.rootfs or "/", _Outside(sock))
    try:
        for step in steps_of(wanted):
            apply(step, child)
    except OSError as error:
        what = error.filename or (child.failed.call if child.failed else "fork")
        name = errno.errorcode.get(error.errno or 0, error.errno)
        return _REFUSED + f"{name}: {error.strerror} ({what})".encode()
    return _WORKS
