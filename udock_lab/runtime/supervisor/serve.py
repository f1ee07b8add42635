"""The process that looks after containers: its loop, and what it is asked for."""

from __future__ import annotations

import os
from contextlib import suppress

from udock_lab.model.plain import MalformedError
from udock_lab.runtime.child.forker import LocalForker, RemoteForker
from udock_lab.runtime.protocol import (
    TAKEN,
    ExecRequest,
    Launch,
    ProbeRequest,
    Refused,
    Request,
    SpawnRequest,
    request_of,
    to_caller,
)
from udock_lab.runtime.state.home import Home, storage_error
from udock_lab.runtime.supervisor.account import Witness
from udock_lab.runtime.supervisor.children import Children
from udock_lab.runtime.supervisor.helpers import Helpers
from udock_lab.runtime.supervisor.job import Job
from udock_lab.runtime.supervisor.output import log_limit
from udock_lab.runtime.supervisor.reserve import Reserve
from udock_lab.wire.framing import adopt, receive
from udock_lab.wire.loop import Loop

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket

__all__ = ["Supervisor"]


class Supervisor:
    """Forks containers, watches them to their end and writes down what happened.

    ``control``: where requests come from; None where :meth:`accept` gets the only one. ``prefork``: a child is forked
    ahead for the next run.
    """

    def __init__(
        self, control: socket | None, *, prefork: bool, forker: LocalForker | RemoteForker | None = None
    ) -> None:
        forker = forker or LocalForker()
        self.loop = Loop()
        self.children = Children(forker, prefork=prefork)
        self.helpers = Helpers(self.loop, forker)
        self.witness = Witness()
        self.log_limit = log_limit()
        self.jobs: set[Job] = set()
        self._control = control
        self._reserve = Reserve()
        self._homes: dict[str, Home] = {}

    def serve(self) -> None:
        """Serve until the control socket is closed (if there was one) and the last container has ended."""
        if self._control is not None:
            self._control.setblocking(False)
            self.loop.watch(self._control, self._on_request)
        self.children.prepare()
        while self._control is not None or self.jobs:
            self.loop.turn()
        self.children.close()

    def accept(self, request: Request, fds: list[int]) -> None:
        """Do what is asked for, or begin it. OSError where no process or no descriptor is left.

        With a run come its own socket, for ``exec`` the container's pidfd, and its standard input; with a terminal the
        latter is a pipe of keys.
        """
        if isinstance(request, ProbeRequest):
            self.helpers.probe(fds[0], request.what)
        elif isinstance(request, SpawnRequest):
            self.helpers.spawn(request.argv, fds[0])
        elif isinstance(request, ExecRequest):
            Job(self, request, adopt(fds[0]), *fds[2:3], container=fds[1]).start()
        else:
            Job(self, request, adopt(fds[0]), *fds[1:2]).start()

    def home(self, path: str) -> Home:
        """Return the home at ``path``, the same one for all of its containers."""
        if path not in self._homes:
            self._homes[path] = Home(path)
        return self._homes[path]

    def _on_request(self, _: int) -> None:
        control = self._control
        assert control is not None
        self._reserve.give_up()
        try:
            data, fds = receive(control)
        except BlockingIOError:
            return
        except OSError:
            data, fds = b"", []
        if not data:
            self._control = None
            self.loop.close(control)
            self.children.close()
            self.helpers.go_on()
            return
        request = None
        try:
            request = request_of(data)
            _say_that_it_is_taken(request, fds)
            self._reserve.hold()
            if isinstance(request, Launch) and request.spec.detach:
                self._reserve.leave_room()
            self.accept(request, fds)
        except (OSError, MalformedError) as error:
            self._turn_away(request, fds, error)

    def _turn_away(self, request: Request | None, fds: list[int], error: OSError | MalformedError) -> None:
        """Refuse what cannot be done: no process or no descriptor is left, or it is no request of this version.

        Other requests than a run see the end of what they brought.
        """
        for number, fd in enumerate(fds):
            with suppress(OSError):
                if isinstance(request, Launch) and number == 0 and isinstance(error, OSError):
                    words = storage_error(error, "")
                    os.write(fd, to_caller(Refused(error="MdockError", message=words.message, hint=words.hint)))
                os.close(fd)
        with suppress(OSError):
            self._reserve.hold()


def _say_that_it_is_taken(request: Request, fds: list[int]) -> None:
    """Say so before anything is done. A probe changes nothing, and a program of ours answers for itself."""
    if isinstance(request, Launch) and fds:
        with suppress(OSError):  # nobody is there any more
            os.write(fds[0], TAKEN)
