"""The keeper's process: one request, one sandbox."""

from __future__ import annotations

import _socket as socket  # the C half: the other one imports enum and selectors
import os
import sys
from contextlib import suppress

from udock_lab.isolation.pid import ParentDeathSignal, Subreaper
from udock_lab.isolation.step import Child
from udock_lab.linux.dispositions import forget_inherited_signals
from udock_lab.linux.process import gone
from udock_lab.sandbox.descriptors import LAUNCHER
from udock_lab.sandbox.keeper.caller import Caller
from udock_lab.sandbox.keeper.ending import Ending, kill_everything
from udock_lab.sandbox.keeper.report import make_report
from udock_lab.sandbox.keeper.running import Running
from udock_lab.sandbox.keeper.sandbox import Sandbox
from udock_lab.sandbox.keeper.starting import Starting
from udock_lab.sandbox.keeper.streams import Streams
from udock_lab.sandbox.keeper.trace import Trace
from udock_lab.sandbox.keeper.words import Words
from udock_lab.sandbox.messages import Failed, Here, Report, Request, Taken, encode, from_client
from udock_lab.sandbox.removal import remove, remove_all_of
from udock_lab.wire.framing import hang_up, receive, send
from udock_lab.wire.loop import Loop

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
else:
    import _signal as signal

__all__ = ["keep", "main"]


def main(control: int) -> None:
    """Serve the client behind the descriptor ``control``."""
    _be_a_keeper()
    sock = socket.socket(fileno=control)
    os.set_inheritable(control, False)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 21)
    data, fds = _wait_for_a_request(sock)
    if not data:
        return
    sock.setblocking(False)
    try:
        request = from_client(data)
        assert isinstance(request, Request)
        (names,) = fds
        loop = Loop()
        caller = Caller(sock, loop)
        caller.deliver(keep(Sandbox(request, names, caller, loop)))
    except Exception as error:
        with suppress(OSError):
            send(sock, encode(Failed(why=f"{type(error).__name__}: {error}")))
        sys.exit(1)
    finally:
        hang_up(sock)


def _wait_for_a_request(sock: socket.socket) -> tuple[bytes, list[int]]:
    """Wait, perhaps for long: we may have been started ahead. Empty where the client has gone.

    Until there is something to clean up we end with the launcher, stopped or not.
    """
    ParentDeathSignal(signal.SIGKILL).apply(Child())
    is_alone = gone(LAUNCHER)  # the launcher ended before we asked for that signal
    os.close(LAUNCHER)
    if is_alone:
        return b"", []
    with suppress(OSError):  # the client has gone, but what it asked for may lie there
        send(sock, encode(Here(pid=os.getpid())))
    data, fds = receive(sock)
    if data:
        ParentDeathSignal(signal.SIGCONT).apply(Child())  # stopped or not, we see that the launcher is gone
        with suppress(OSError), open("/proc/self/comm", "w") as name:
            name.write("keeper")  # and no longer a spare one
        with suppress(OSError):
            send(sock, encode(Taken()))
    return data, fds


def keep(sandbox: Sandbox) -> Report:
    """Start, watch until the end, clean up, report."""
    words, trace = Words(sandbox), Trace(sandbox)
    streams, ending = Streams(sandbox, words), Ending(sandbox, trace)
    os.mkdir(sandbox.request.scratch, 0o700)
    try:
        Starting(sandbox, words, trace, streams).run()
        try:
            Running(sandbox, words).run()
            ending.run()
            return make_report(sandbox, words, trace, streams, ending)
        finally:
            kill_everything(sandbox)
    finally:
        remove(sandbox.request.scratch)
        if sandbox.identity.uid:
            remove_all_of(sandbox.identity.uid)


def _be_a_keeper() -> None:
    """Be the subreaper, let no signal of the terminal or of a broken pipe end us, and be served before fork bombs."""
    forget_inherited_signals()
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGPIPE, signal.SIGXFSZ):  # the last two come as OSError
        signal.signal(number, signal.SIG_IGN)
    Subreaper().apply(Child())
    with suppress(OSError):  # where we may: first in line for a processor, also when a fork bomb wants them all
        os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(1))
