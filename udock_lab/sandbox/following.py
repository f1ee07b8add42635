"""The client's side of a run: a keeper is started and followed to its report."""

from __future__ import annotations

import codecs
import os
import select
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from udock_lab.errors import LauncherDied, LetGo, SandboxInterrupted
from udock_lab.model import OutputChunk
from udock_lab.runtime.client.connection import the_launcher
from udock_lab.sandbox.keepers import start_keeper, start_spare, take_spare
from udock_lab.sandbox.messages import Failed, Here, Output, Report, Request, Stop, Taken, encode, from_keeper
from udock_lab.wire.framing import receive, send
from udock_lab.wire.interrupts import Insistence, handled, is_ignored

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket
    from threading import Event

__all__ = ["Asked", "a_keeper", "follow"]

PAUSE = 200  # milliseconds for which an interrupt may go unnoticed
TRIES = 3  # keepers that are asked: a spare that has just died, one whose launcher has, and one that lives
_STOP = encode(Stop())
_utf8 = codecs.getincrementaldecoder("utf-8")  # a character may come in two pieces


class Asked:
    """A request, with the keeper that it was sent to; with another one, should that die before it has taken it."""

    def __init__(self, request: Request, names: int) -> None:
        self._data, self._names = encode(request), names
        self._tries = TRIES
        self.keeper = 0  # its pid, when it has said that it is there
        self.sock = self._send()

    def _send(self) -> socket:
        self._tries -= 1
        sock = take_spare() or start_keeper()
        with suppress(BrokenPipeError, ConnectionResetError):  # it has just died: we hear of its end
            send(sock, self._data, [self._names])
        return sock

    def is_asked_again(self) -> bool:
        """Ask another keeper where this one is gone; False if it had taken the request, which may have been done."""
        if self._tries <= 0:
            return False
        self.sock.close()
        self.keeper = 0
        self.sock = self._send()
        return True

    def note(self, message: Here | Taken) -> None:
        """Note what the keeper says of itself."""
        if isinstance(message, Here):
            self.keeper = message.pid
        else:
            self._tries = 0

    def stop(self) -> None:
        """Ask it to end the sandbox; nothing where it is gone."""
        with suppress(OSError):
            self.sock.send(_STOP)


@contextmanager
def a_keeper(request: Request, names: bytes) -> Iterator[Asked]:
    """Set a keeper to work; when this block is left it ends whatever still runs, and the next one may be started."""
    memory = os.memfd_create("udock-names")
    try:
        view = memoryview(names)
        while view:
            view = view[os.write(memory, view) :]
        os.lseek(memory, 0, os.SEEK_SET)
        asked = Asked(request, memory)
        try:
            yield asked
        finally:
            asked.sock.close()
    finally:
        os.close(memory)
    start_spare()


def follow(asked: Asked, take: Callable[[OutputChunk], None], stopping: Event | None = None) -> Report:
    """Hand on output until the report; an interrupt ends the sandbox first and is raised afterwards.

    So does ``stopping``, when another thread sets it.
    """
    decoders: dict[tuple[str, int], codecs.IncrementalDecoder] = {}
    with _interrupts(asked) as interrupted:
        while not isinstance(message := _next(asked, interrupted, stopping), Report):
            if isinstance(message, Output):
                decoder = decoders.setdefault((message.stream, message.pid), _utf8("replace"))
                text = decoder.decode(message.data)
                take(OutputChunk(pid=message.pid, role=message.role, stream=message.stream, text=text))
    if interrupted.interrupts:
        raise SandboxInterrupted
    return message


def _next(asked: Asked, interrupted: Insistence, stopping: Event | None) -> Output | Report | None:
    """Wait for a message of the keeper; None for one about itself. LauncherDied if there will be none."""
    ready = select.poll()
    ready.register(asked.sock, select.POLLIN)
    while not ready.poll(PAUSE):  # a signal that came a moment before the wait is handled now
        if stopping is not None and stopping.is_set() and not interrupted.interrupts:
            interrupted.interrupt()
            asked.stop()
        if interrupted.insists:
            _let_go_if_somebody_is_stopped(asked, interrupted)
    data, _ = receive(asked.sock)
    if not data and asked.is_asked_again():
        if interrupted.interrupts:
            asked.stop()
        return None
    message = from_keeper(data) if data else Failed(why="")
    if isinstance(message, Here | Taken):
        asked.note(message)
        return None
    if isinstance(message, Failed):
        why = f": {message.why}" if message.why else ""
        raise LauncherDied(f"The sandbox's keeper is gone{why}.", "Run the cell again; if it recurs: %mdock doctor")
    return message


def _let_go_if_somebody_is_stopped(asked: Asked, interrupted: Insistence) -> None:
    """Let the caller go at the third interrupt where the keeper, or the launcher that is to start it, is stopped.

    Raises LetGo.
    """
    launcher = the_launcher()
    try:
        helpers = [launcher.pid, asked.keeper] if launcher.pid and asked.keeper else launcher.helpers()
        interrupted.let_go_of(helpers, "The sandbox")
    except LetGo as let_go:
        if launcher.pid in let_go.stopped:
            launcher.abandon()
        raise


@contextmanager
def _interrupts(asked: Asked) -> Iterator[Insistence]:
    """Ask the keeper to stop at SIGINT.

    Main thread only; elsewhere no signal arrives.
    """
    insistence = Insistence()

    def interrupt(_number: int, _frame: object) -> None:
        insistence.interrupt()
        asked.stop()

    with handled({} if is_ignored(signal.SIGINT) else {signal.SIGINT: interrupt}):
        yield insistence
