"""The caller's side of a run: talk to a supervisor over the run's own socket until the container has ended.

Output arrives as messages and is handed on as it comes. SIGINT goes to the container's process group, a
second one kills it. On a terminal, keys and window sizes are relayed and the terminal is put into raw mode.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import termios
import threading
import tty
from _socket import MSG_DONTWAIT
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from udock_lab.errors import LauncherDied
from udock_lab.runtime.messages import decode, encode
from udock_lab.runtime.wire import receive, send

if TYPE_CHECKING:
    from _socket import socket

__all__ = ["Attachment", "terminal_size"]

OUTPUT_KEPT = 1 << 20
PAUSE = 200  # milliseconds for which a signal that comes a moment before we wait may go unnoticed

# Signals that the caller's process keeps to itself: those that nobody can catch, those that are about its own children,
# pipes, files and terminal (job control, window size), and its own faults.
_OUR_OWN = {
    *(signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD, signal.SIGPIPE, signal.SIGXFSZ, signal.SIGURG),
    *(signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU, signal.SIGWINCH),
    *(signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGSYS),
}
_CONTROL_D = b"\x04"


def terminal_size(fd: int) -> list[int]:
    """Rows and columns of a terminal: 24 and 80 where it does not know them (a serial line, a pty without a window)."""
    with suppress(OSError):
        size = os.get_terminal_size(fd)
        return [size.lines or 24, size.columns or 80]
    return [24, 80]


class Attachment:
    """One run seen by its caller. ``stdout`` and ``stderr`` keep the first ``OUTPUT_KEPT`` bytes."""

    def __init__(
        self,
        sock: socket,
        on_output: Callable[[str, bytes], None] | None,
        on_event: Callable[[dict[str, Any]], None],
    ) -> None:
        self.sock = sock
        self.on_output = on_output
        self.on_event = on_event
        self.stdout = bytearray()
        self.stderr = bytearray()
        self.interrupts = 0
        self._incoming = select.poll()
        self._incoming.register(sock, select.POLLIN)

    def follow(self, until: str, *, terminal: bool = False) -> dict[str, Any]:
        """Hand on what comes until the event ``until`` (or a refusal, or the end); that event."""
        if terminal:
            event = self._wait_for("started")  # by then the supervisor has left our process group (SIGTTOU)
            if event["event"] != "started":
                return event
            with _raw(0) as ours:
                if ours:
                    return self._relay(until)
        return self._wait_for(until)

    def _wait_for(self, until: str) -> dict[str, Any]:
        while True:
            event = self._next()
            if event is not None and event["event"] in (until, "ended", "refused"):
                return event

    def _next(self) -> dict[str, Any] | None:
        """Take one message; an event, or None for output."""
        while not self._incoming.poll(PAUSE):
            pass
        data, _ = receive(self.sock)
        if not data:
            raise LauncherDied(
                "The process that supervised this container is gone.",
                "See what became of the container with: mdock ps",
            )
        kind = data[0]
        if kind == 0x6A:  # j
            event: dict[str, Any] = decode(data[1:])
            self.on_event(event)
            return event
        stream, kept = ("stdout", self.stdout) if kind == 0x6F else ("stderr", self.stderr)
        if len(kept) < OUTPUT_KEPT:
            kept += data[1 : 1 + OUTPUT_KEPT - len(kept)]
        if self.on_output is not None:
            self.on_output(stream, data[1:])
        return None

    def send_signal(self, number: int) -> None:
        """Ask the supervisor to signal the container's process group; nothing where it has ended."""
        with suppress(OSError):  # also a queue that is full, of a supervisor that was stopped: nobody waits for that
            self.sock.send(b"j" + encode({"signal": number}), MSG_DONTWAIT)

    @contextmanager
    def signals(self) -> Iterator[None]:
        """What is sent to this process is meant for the container: SIGINT, SIGKILL on the second, and all others.

        Only what would have ended us is handed on: what our caller ignored stays ignored, and what this process has
        a handler for is its own. Main thread only. In a notebook: SIGINT only.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def interrupt(number: int, _: object) -> None:
            self.interrupts += 1
            self.send_signal(signal.SIGINT if self.interrupts == 1 else signal.SIGKILL)

        def hand_on(number: int, _: object) -> None:
            self.send_signal(number)

        old = {}
        if signal.getsignal(signal.SIGINT) != signal.SIG_IGN:
            old[signal.SIGINT] = signal.signal(signal.SIGINT, interrupt)
        if "ipykernel" not in sys.modules:
            for number in signal.valid_signals() - _OUR_OWN - {signal.SIGINT}:
                if signal.getsignal(number) == signal.SIG_DFL:
                    old[number] = signal.signal(number, hand_on)
            if signal.SIGCONT in old:
                signal.siginterrupt(
                    signal.SIGCONT, False
                )  # a job that asks for its terminal's mode asks on (tcsetattr(3))
        try:
            yield
        finally:
            for number, handler in old.items():
                signal.signal(number, handler)

    def _relay(self, until: str) -> dict[str, Any]:
        """Keys from our terminal to the container's, window sizes too, until the end."""
        wake, wake_in = os.pipe()
        os.set_blocking(wake_in, False)
        old = signal.signal(signal.SIGWINCH, lambda *_: os.write(wake_in, b"w"))
        watched = select.poll()  # select(2) knows no descriptor from 1,024 on
        for fd in (self.sock.fileno(), 0, wake):
            watched.register(fd, select.POLLIN)
        try:
            while True:
                ready = {fd for fd, _ in watched.poll()}
                if wake in ready:
                    os.read(wake, 64)
                    send(self.sock, b"j" + encode({"size": terminal_size(0)}))
                if 0 in ready and not self._send_keys():
                    watched.unregister(0)
                if self.sock.fileno() in ready:
                    event = self._next()
                    if event is not None and event["event"] in (until, "ended", "refused"):
                        return event
        finally:
            signal.signal(signal.SIGWINCH, old)
            os.close(wake)
            os.close(wake_in)

    def _send_keys(self) -> bool:
        try:
            keys = os.read(0, 4096)
        except OSError:
            keys = b""
        with suppress(OSError):  # the end of a pipe or a file is what Ctrl-D is to a terminal
            send(self.sock, b"i" + (keys or _CONTROL_D))
        return bool(keys)


@contextmanager
def _raw(fd: int) -> Iterator[bool]:
    """Raw mode: the container's terminal does echo, editing and Ctrl-C, ours passes everything on.

    False if it cannot be had: the kernel stops a job in the background at this call (tcsetattr(3), SIGTTOU), and
    it was told to end rather than brought to the foreground; or the terminal has gone.
    """
    before = _make_raw(fd) if os.isatty(fd) else None
    try:
        yield before is not None or not os.isatty(fd)
    finally:
        if before is not None:
            with suppress(termios.error):  # the terminal was closed meanwhile
                termios.tcsetattr(fd, termios.TCSADRAIN, before)


def _make_raw(fd: int) -> list[Any] | None:
    """The mode before, or None where the terminal refuses."""
    try:
        before = termios.tcgetattr(fd)
        tty.setraw(fd, termios.TCSADRAIN)  # keys typed ahead stay
    except termios.error:
        return None
    return before
