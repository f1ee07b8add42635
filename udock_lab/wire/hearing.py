"""Messages and output of processes that are not trusted, each with the pid of its sender.

The kernel adds the sender's credentials to everything that passes such a socket (unix(7), SO_PASSCRED), so nobody
can speak for another process. Whoever holds the far end may send junk: what is read is bounded, nothing that is read
can block, and no descriptor is kept.
"""

from __future__ import annotations

import _socket as socket
import os
from contextlib import suppress
from fcntl import fcntl

from udock_lab.wire.framing import DATAGRAM, SPILL, read_whole, take

__all__ = ["MOST", "hear", "hear_bytes", "open_channel"]

MOST = 8 << 20  # bytes of one message
F_GET_SEALS = 1034  # fcntl(2); the module fcntl has no name for it before Python 3.13
_CREDENTIALS = socket.CMSG_SPACE(12)  # struct ucred: pid, uid, gid
_ONE_FILE = socket.CMSG_SPACE(4)


def open_channel(kind: int = socket.SOCK_SEQPACKET) -> tuple[socket.socket, socket.socket]:
    """Make our end, which learns the sender of everything and never blocks, and the end for who is not trusted."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, kind)
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
    ours.setblocking(False)
    return ours, theirs


def hear(sock: socket.socket) -> tuple[bytes, int]:
    """Read one message and the pid of its sender; pid 0 means that the far end is gone.

    No bytes, but a pid: junk. Raises BlockingIOError when there is nothing.
    """
    data, fds, pid = _take(sock, DATAGRAM + 1, _CREDENTIALS + _ONE_FILE)
    try:
        if data == SPILL and fds:
            data = _spilt(fds[0])
    finally:
        for fd in fds:
            os.close(fd)
    return data, pid


def hear_bytes(sock: socket.socket, size: int) -> tuple[bytes, int]:
    """Read up to ``size`` bytes that one process wrote into a stream, and its pid; otherwise as :func:`hear`."""
    data, _, pid = _take(sock, size, _CREDENTIALS)  # without room for them, the kernel drops descriptors
    return data, pid


def _take(sock: socket.socket, size: int, space: int) -> tuple[bytes, list[int], int]:
    try:
        return take(sock, size, space)
    except BlockingIOError:
        raise
    except OSError:
        return b"", [], 0


def _spilt(fd: int) -> bytes:
    """Read a message that was too large for one datagram; nothing if this is no memfd, or too large.

    Only memory has seals. What lies on another file system may be served by a process of the sender's, which can
    let a reader wait for ever (fuse(4)).
    """
    with suppress(OSError):
        fcntl(fd, F_GET_SEALS)
        size = os.fstat(fd).st_size
        if size <= MOST:
            return read_whole(fd, size)
    return b""
