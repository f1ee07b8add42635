"""What comes out of a sandbox, each piece with the pid of the process that sent it.

The kernel adds the sender's credentials to everything that passes such a socket (unix(7), SO_PASSCRED), so nobody
in a sandbox can speak for another process. Learner code holds the far end: whatever comes may be junk.
"""

from __future__ import annotations

import os
import socket
import stat
import struct
from contextlib import suppress

from udock_lab.runtime.messages import decode
from udock_lab.runtime.wire import SPILL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["hear", "message", "open_channel"]

MOST = 8 << 20  # bytes of one message
_CREDENTIALS = struct.Struct("iii")  # struct ucred: pid, uid, gid
_SPACE = socket.CMSG_SPACE(_CREDENTIALS.size) + socket.CMSG_SPACE(253 * 4)  # SCM_MAX_FD descriptors


def open_channel(kind: socket.SocketKind) -> tuple[socket.socket, socket.socket]:
    """Our end, which learns the sender of everything, and the end for the sandbox."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, kind)
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
    ours.setblocking(False)
    return ours, theirs


def hear(sock: socket.socket, size: int) -> tuple[bytes, int]:
    """One piece and the pid of its sender; no bytes and pid 0 at the end. BlockingIOError when there is nothing.

    Descriptors that come along are closed: nobody asked for them.
    """
    try:
        data, ancillary, _, _ = sock.recvmsg(size, _SPACE, socket.MSG_CMSG_CLOEXEC)
    except BlockingIOError:
        raise
    except ConnectionResetError:  # said once where the far end was closed with something unread; then comes the rest
        return hear(sock, size)
    except OSError:
        return b"", 0
    pid, fds = 0, list[int]()
    for level, kind, packed in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_CREDENTIALS:
            pid = _CREDENTIALS.unpack(packed[: _CREDENTIALS.size])[0]
        elif level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            fds += struct.unpack(f"{len(packed) // 4}i", packed[: len(packed) // 4 * 4])
    try:
        if data == SPILL and fds:
            data = _whole(fds[0])
    finally:
        for fd in fds:
            os.close(fd)
    return data, pid


def message(data: bytes) -> list[Any]:
    """The words of a message; junk counts as a message without words."""
    with suppress(ValueError, RecursionError):  # what JSON and UTF-8 say of junk
        words = decode(data)
        if isinstance(words, list) and words:
            return words
    return [""]


def _whole(fd: int) -> bytes:
    """A message that was too large for one datagram (wire.py); a regular file, or it is junk."""
    facts = os.fstat(fd)
    if not stat.S_ISREG(facts.st_mode) or facts.st_size > MOST:
        return b"junk"
    with suppress(OSError):
        return os.pread(fd, facts.st_size, 0)
    return b"junk"
