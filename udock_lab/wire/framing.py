"""Datagrams between processes on one machine (SOCK_SEQPACKET), with file descriptors.

unix(7): such a socket keeps message boundaries and carries descriptors (SCM_RIGHTS). A message too large for
one datagram travels in a memfd (memfd_create(2)) whose descriptor comes first.

For processes of our own on both sides; hearing.py reads the same framing from a sender who is not trusted.
"""

from __future__ import annotations

import _socket as socket  # the C half: the other one imports enum and selectors, to be copied at each fork
import marshal
import os
import sys

__all__ = ["DATAGRAM", "SPILL", "adopt", "hang_up", "pack", "pair", "read_whole", "receive", "send", "take", "unpack"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

DATAGRAM = 1 << 16
SPILL = b"\x00in-memfd"
_MAX_FDS = 8
_FD_SPACE = socket.CMSG_SPACE(_MAX_FDS * 4)


def pair() -> tuple[socket.socket, socket.socket]:
    """Make two connected sockets, close-on-exec."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


def adopt(fd: int) -> socket.socket:
    """Take the socket behind a descriptor that came from :func:`pair`; its kind is known and need not be asked for."""
    return socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET, 0, fd)


def pack(message: Any) -> bytes:
    """Write plain values as bytes, for a process that forks and for its children.

    marshal is built into the interpreter: there is nothing to import, and so to copy at each fork. It must only
    ever read what came through :func:`pair`.
    """
    return marshal.dumps(message)


def unpack(data: bytes) -> Any:
    """Read the message of :func:`pack`."""
    return marshal.loads(data)  # noqa: S302 - written by ourselves, read from our own pair


def send(sock: socket.socket, data: bytes, fds: Sequence[int] = ()) -> None:
    """Write one datagram with its descriptors, as sendmsg(2); raise OSError where it does."""
    if len(data) <= DATAGRAM:
        _send(sock, data, fds)
        return
    spill = os.memfd_create("mdock-message")
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(spill, view) :]
        _send(sock, SPILL, (spill, *fds))
    finally:
        os.close(spill)


def _send(sock: socket.socket, data: bytes, fds: Sequence[int]) -> None:
    if not fds:
        sock.send(data)
        return
    packed = b"".join(fd.to_bytes(4, sys.byteorder) for fd in fds)
    sock.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, packed)])


def take(sock: socket.socket, size: int, space: int) -> tuple[bytes, list[int], int]:
    """Receive once: bytes, descriptors, and the sender's pid where the kernel adds it (SO_PASSCRED), else 0.

    Where the other side closed while something of ours lay unread there, the kernel says so once (ECONNRESET), ahead
    of whatever it had sent before: that is no reason to lose it.
    """
    try:
        message = sock.recvmsg(size, space, socket.MSG_CMSG_CLOEXEC)
    except ConnectionResetError:
        message = sock.recvmsg(size, space, socket.MSG_CMSG_CLOEXEC)
    data, ancillary, _, _ = message
    fds: list[int] = []
    pid = 0
    for level, kind, packed in ancillary:
        if level != socket.SOL_SOCKET:
            continue
        if kind == socket.SCM_RIGHTS:
            fds += [int.from_bytes(packed[i : i + 4], sys.byteorder) for i in range(0, len(packed) - 3, 4)]
        elif kind == socket.SCM_CREDENTIALS:
            pid = int.from_bytes(packed[:4], sys.byteorder)
    return data, fds, pid


def receive(sock: socket.socket) -> tuple[bytes, list[int]]:
    """Read one datagram and its descriptors (close-on-exec); empty bytes mean that the other side is gone."""
    data, fds, _ = take(sock, DATAGRAM + 1, _FD_SPACE)
    if data == SPILL and fds:
        spill = fds.pop(0)
        try:
            data = read_whole(spill, os.fstat(spill).st_size)
        finally:
            os.close(spill)
    return data, fds


def hang_up(sock: socket.socket) -> None:
    """Close it with nothing unread in it: the other side would hear of a reset ahead of our last words."""
    try:
        sock.shutdown(socket.SHUT_RD)  # from here on nothing more comes
        while (message := receive(sock))[0]:
            for fd in message[1]:
                os.close(fd)
    except OSError:
        pass  # the other side is gone, or there is nothing
    sock.close()


def read_whole(fd: int, size: int) -> bytes:
    """Read a file from its start, ``size`` bytes at most."""
    parts, at = [], 0
    while at < size:
        part = os.pread(fd, min(size - at, 1 << 20), at)
        if not part:
            break
        parts.append(part)
        at += len(part)
    return b"".join(parts)
