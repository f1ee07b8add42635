"""The keepers of this process's sandboxes: one for each, and one that is started ahead of the next.

A keeper is the same for every sandbox until it has a request, so the next one can wait for it: its interpreter runs,
and everything is imported. It holds nothing of a cell. Code, names, environment, working folder and limits come with
the request.

The first is started ahead when a first sandbox has ended: who never uses one pays nothing. It ends when our end of its
socket is closed, by us or by our death, and with the launcher, its parent.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

from udock_lab.errors import MdockError
from udock_lab.linux.process import stopped
from udock_lab.runtime.client.connection import the_launcher
from udock_lab.runtime.processes import SPARE_KEEPER
from udock_lab.runtime.protocol import SpawnRequest
from udock_lab.sandbox.messages import Here, from_keeper
from udock_lab.wire.framing import pair, receive

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket

__all__ = ["CODE", "PACKAGE", "let_spare_go", "start_keeper", "start_spare", "take_spare"]

PACKAGE = str(Path(__file__).absolute().parents[2])  # the folder that holds udock_lab
CODE = (
    "import sys; sys.path.insert(0, sys.argv[1]); from udock_lab.sandbox.descriptors import CONTROL; "
    "from udock_lab.sandbox.keeper.main import main; main(CONTROL)"
)
_START = 10.0  # seconds in which a keeper that nobody stopped has said that it is there, on a busy machine, too


class _Spare:
    """A keeper that was started ahead, behind its socket."""

    def __init__(self, sock: socket) -> None:
        self.sock = sock
        self.since = time.monotonic()
        self.pid = 0  # until it has said that it is there

    def is_fit(self) -> bool:
        """Return whether it lives and nobody has stopped it."""
        if _has_something(self.sock):
            with suppress(OSError):
                data, _ = receive(self.sock)
                said = from_keeper(data) if data else None
                self.pid = said.pid if isinstance(said, Here) else 0
            if not self.pid or _has_something(self.sock):  # its end
                self.pid = 0
                return False
        return not stopped([self.pid]) if self.pid else time.monotonic() < self.since + _START

    def dismiss(self) -> None:
        """End it, also where it is stopped. Until it has ended its pid is its own: we have just looked."""
        if self.pid:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(self.pid, signal.SIGKILL)
        self.sock.close()


_spares: list[_Spare] = []  # one; for a moment two, where sandboxes end in two threads
_minds_forks: list[bool] = []


def start_keeper(*words: str) -> socket:
    """Start one, and return our end of its control socket; ``words`` end its command line. LauncherDied, OSError."""
    ours, theirs = pair()
    argv = (sys.executable, "-I", "-S", "-c", CODE, PACKAGE, *words)
    try:
        the_launcher().request(SpawnRequest(argv=argv), [theirs.fileno()])
    except BaseException:
        ours.close()
        raise
    finally:
        theirs.close()
    return ours


def start_spare() -> None:
    """Start one ahead, if there is none, and do not wait for it; where that is refused, the next sandbox says why."""
    if not _spares:
        with suppress(OSError, MdockError):
            _spares.append(_Spare(start_keeper(SPARE_KEEPER)))
            _mind_forks()
    while len(_spares) > 1:
        _spares.pop().dismiss()


def take_spare() -> socket | None:
    """Return the socket of the keeper that waits, which is nobody else's from now on; None if there is none of use."""
    while _spares:
        spare = _spares.pop()
        if spare.is_fit():
            return spare.sock
        spare.dismiss()
    return None


def _mind_forks() -> None:
    """Leave what waits to the parent in a forked child: a copy of the socket would keep it when that has gone."""
    if not _minds_forks:
        _minds_forks.append(True)
        os.register_at_fork(after_in_child=_forget)


def _forget() -> None:
    while _spares:
        _spares.pop().sock.close()


def _has_something(sock: socket) -> bool:
    """Return whether there is a message to be read, or the end."""
    ready = select.poll()
    ready.register(sock, select.POLLIN)
    return bool(ready.poll(0))


def let_spare_go() -> None:
    """Have none ahead any more."""
    while _spares:
        _spares.pop().dismiss()
