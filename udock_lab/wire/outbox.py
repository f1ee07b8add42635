"""Messages on their way to a reader who may be busy, or stopped."""

from __future__ import annotations

from collections import deque

from udock_lab.wire.framing import send

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket
    from collections.abc import Callable, Hashable

__all__ = ["ROOM", "Outbox"]

ROOM = 1 << 20  # bytes that may wait before whoever fills the box should stop reading what they fill it with


class Outbox:
    """Keeps messages in order until the reader takes them; what one author writes meanwhile becomes one message.

    ``frame`` makes the message of an author's output. The socket must not block, until :meth:`deliver`.
    """

    def __init__(self, sock: socket, frame: Callable[[Hashable, bytes], bytes], room: int = ROOM) -> None:
        self.sock = sock
        self.room = room
        self.size = 0  # bytes that wait
        self._frame = frame
        self._waiting: deque[_Waiting] = deque()

    def add(self, author: Hashable, data: bytes) -> None:
        """Put in some output; it is joined to what waits already if that is by the same author."""
        self.size += len(data)
        last = self._waiting[-1] if self._waiting else None
        if last is not None and last.author == author and author is not None:
            last.parts.append(data)
        else:
            self._waiting.append(_Waiting(author, data))

    def tell(self, message: bytes) -> None:
        """Put in a message that is whole as it is."""
        self.size += len(message)
        self._waiting.append(_Waiting(None, message))

    @property
    def is_full(self) -> bool:
        """So much waits that whoever fills it should let the writers wait."""
        return self.size > self.room

    def flush(self) -> bool:
        """Send as much as the reader takes now; False if there is no reader any more, and all of it is dropped."""
        try:
            while self._waiting:
                self._send_first()
        except BlockingIOError:
            return True
        except OSError:
            self._waiting.clear()
            self.size = 0
            return False
        return True

    def deliver(self) -> bool:
        """Send all of it, however long the reader takes; False if there is no reader any more."""
        self.sock.setblocking(True)
        return self.flush()

    def _send_first(self) -> None:
        first = self._waiting[0]
        data = b"".join(first.parts)
        send(self.sock, data if first.author is None else self._frame(first.author, data))
        self._waiting.popleft()
        self.size -= len(data)


class _Waiting:
    """A message that waits: whole, or the output of an author so far."""

    __slots__ = ("author", "parts")

    def __init__(self, author: Hashable, data: bytes) -> None:
        self.author, self.parts = author, [data]
