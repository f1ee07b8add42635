"""What the processes write: each chunk with its author, as far as there is room for it."""

from __future__ import annotations

from udock_lab.linux.process import parent
from udock_lab.sandbox.bounds import SHOWN
from udock_lab.wire.hearing import hear_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    import _socket

    from udock_lab.sandbox.keeper.sandbox import Sandbox
    from udock_lab.sandbox.keeper.words import Words

__all__ = ["Streams"]

CHUNK = 1 << 18  # bytes read in one go
COMPLAINT = 1000  # bytes of what is written before there is anybody in the sandbox


class Streams:
    """Reads standard output and standard error, and hands them on to the caller."""

    def __init__(self, sandbox: Sandbox, words: Words) -> None:
        self.sandbox = sandbox
        self.words = words
        self.written = self.shown = 0  # bytes
        self.complaint = b""  # what strace wrote, or Python before it came to us

    def read(self, name: str, stream: _socket.socket) -> None:
        """Take one chunk, with the pid of the process that wrote it."""
        try:
            data, pid = hear_bytes(stream, CHUNK)
        except BlockingIOError:
            return
        if not data:
            if not pid:
                self.sandbox.close(stream)
        elif pid == self.sandbox.runner.tracer or not self.sandbox.table.first:  # before the hello, nobody is there
            self.complaint += data[:COMPLAINT]
        else:
            self._take(name, pid, data)

    def _take(self, name: str, pid: int, data: bytes) -> None:
        self.written += len(data)
        data = data[: SHOWN - self.shown]
        self.shown += len(data)
        if data:
            self.sandbox.caller.output(name, pid, self._role(pid), data)

    def _role(self, pid: int) -> str:
        """Return the role of a process.

        What a process says of its fork, it said before it wrote.
        """
        table = self.sandbox.table
        if not table.has_place(pid):
            self.words.listen()
        if not table.is_known(pid):
            table.meet(pid, parent(pid) or 0)
        return table.role_of(pid)

    def first_complaint(self) -> str:
        """Take the first line of what strace or Python itself said, without the name of the program before it."""
        said, self.complaint = self.complaint.decode(errors="replace").strip().split("\n")[0], b""
        return said.removeprefix(f"{self.sandbox.request.strace}: ")
