"""The client's side of a run: a keeper is started and followed to its report."""

from __future__ import annotations

import codecs
import os
import select
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from udock_lab.errors import LauncherDied, LetGo, SandboxInterrupted
from udock_lab.model import OutputChunk
from udock_lab.runtime.client.connection import the_launcher
from udock_lab.runtime.protocol import SpawnRequest
from udock_lab.sandbox.messages import Failed, Output, Report, Request, Stop, encode, from_keeper
from udock_lab.wire.framing import receive, send
from udock_lab.wire.interrupts import Insistence, handled, is_ignored

__all__ = ["a_keeper", "follow"]

PAUSE = 200  # milliseconds for which an interrupt may go unnoticed
KEEPER = (
    "import sys; sys.path.insert(0, sys.argv[1]); from udock_lab.sandbox.descriptors import CONTROL; "
    "from udock_lab.sandbox.keeper.main import main; main(CONTROL)"
)
_STOP = encode(Stop())
_utf8 = codecs.getincrementaldecoder("utf-8")  # a character may come in two pieces


@contextmanager
def a_keeper(request: Request, names: bytes) -> Iterator[socket.socket]:
    """Set a keeper to work and talk to it over this socket; when that is closed it ends whatever still runs."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    memory = os.memfd_create("udock-names")
    with ours:
        try:
            view = memoryview(names)
            while view:
                view = view[os.write(memory, view) :]
            os.lseek(memory, 0, os.SEEK_SET)
            with theirs:
                send(ours, encode(request), [memory])  # it waits there: should we die now, the keeper still cleans up
                argv = [sys.executable, "-I", "-S", "-c", KEEPER, request.package]
                the_launcher().request(SpawnRequest(argv=tuple(argv)), [theirs.fileno()])
        finally:
            os.close(memory)
        yield ours


def follow(sock: socket.socket, take: Callable[[OutputChunk], None]) -> Report:
    """Hand on output until the report; an interrupt ends the sandbox first and is raised afterwards."""
    decoders: dict[tuple[str, int], codecs.IncrementalDecoder] = {}
    with _interrupts(sock) as interrupted:
        while isinstance(message := _next(sock, interrupted), Output):
            decoder = decoders.setdefault((message.stream, message.pid), _utf8("replace"))
            text = decoder.decode(message.data)
            take(OutputChunk(pid=message.pid, role=message.role, stream=message.stream, text=text))
    if interrupted.interrupts:
        raise SandboxInterrupted
    return message


def _next(sock: socket.socket, interrupted: Insistence) -> Output | Report:
    """Wait for a message of the keeper. LauncherDied if there will be none."""
    ready = select.poll()
    ready.register(sock, select.POLLIN)
    while not ready.poll(PAUSE):  # a signal that came a moment before the wait is handled now
        if interrupted.insists:
            _let_go_if_somebody_is_stopped(interrupted)
    data, _ = receive(sock)
    message = from_keeper(data) if data else Failed(why="")
    if isinstance(message, Failed):
        why = f": {message.why}" if message.why else ""
        raise LauncherDied(f"The sandbox's keeper is gone{why}.", "Run the cell again; if it recurs: %mdock doctor")
    return message


def _let_go_if_somebody_is_stopped(interrupted: Insistence) -> None:
    """Let the caller go at the third interrupt where the keeper, or the launcher that is to start it, is stopped.

    Raises LetGo.
    """
    launcher = the_launcher()
    try:
        interrupted.let_go_of(launcher.helpers(), "The sandbox")
    except LetGo as let_go:
        if launcher.pid in let_go.stopped:
            launcher.abandon()
        raise


@contextmanager
def _interrupts(sock: socket.socket) -> Iterator[Insistence]:
    """Ask the keeper to stop at SIGINT.

    Main thread only; elsewhere no signal arrives.
    """
    asked = Insistence()

    def interrupt(_number: int, _frame: object) -> None:
        asked.interrupt()
        with suppress(OSError):
            sock.send(_STOP)

    with handled({} if is_ignored(signal.SIGINT) else {signal.SIGINT: interrupt}):
        yield asked
