"""How a keeper starts the runner: the channels between them, and strace around it where that is wanted."""

from __future__ import annotations

import fcntl
import os
from _socket import SOCK_SEQPACKET, SOCK_STREAM

from udock_lab.linux.strace import command
from udock_lab.sandbox.descriptors import REPORTS, TRACE
from udock_lab.wire.hearing import open_channel

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from _socket import socket
    from typing import Any

    from udock_lab.sandbox.messages import Request
else:
    import _signal as signal

__all__ = ["RunnerProcess", "start"]

# Not by its file: a module that is imported comes from its compiled form, a script is compiled each time.
RUNNER = "import sys; sys.path.insert(0, sys.argv[1]); from udock_lab.sandbox.runner import main; main()"


class RunnerProcess:
    """A runner on its way, and the keeper's ends of its channels."""

    def __init__(
        self,
        child: int,
        tracer: int,
        reports: socket,
        stdout: socket,
        stderr: socket,
        trace: int,
    ) -> None:
        self.child = child  # strace, or the runner itself
        self.tracer = tracer  # strace, or 0
        self.reports, self.stdout, self.stderr = reports, stdout, stderr
        self.trace = trace  # what strace writes comes out here
        self.pidfd = os.pidfd_open(child)

    @property
    def ends(self) -> tuple[socket | int, ...]:
        """All that there is to close."""
        return self.reports, self.stdout, self.stderr, self.trace, self.pidfd


def start(request: Request, strace: str) -> RunnerProcess:
    """Start it, traced by the program ``strace`` unless that is empty. OSError if the program is missing."""
    reports, reports_in = open_channel(SOCK_SEQPACKET)
    stdout, stdout_in = open_channel(SOCK_STREAM)
    stderr, stderr_in = open_channel(SOCK_STREAM)
    trace, trace_in = os.pipe()
    os.set_blocking(trace, False)
    argv = [request.python, "-I", "-c", RUNNER, request.package]
    if strace:
        argv = command(strace, TRACE, request.calls, argv, request.inject)
    inherited = {1: stdout_in.detach(), 2: stderr_in.detach(), REPORTS: reports_in.detach(), TRACE: trace_in}
    child = _spawn(argv, request.env, inherited)
    return RunnerProcess(child, child if strace else 0, reports, stdout, stderr, trace)


def _spawn(argv: list[str], env: dict[str, str], inherited: dict[int, int]) -> int:
    """Start a program with these descriptors, all signals at their default (posix_spawn(3)).

    Python ignores some, and so do the processes above.
    """
    high = {to: fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 20) for to, fd in inherited.items()}  # out of dup2's way
    files: list[Any] = [(os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0)]
    files += [(os.POSIX_SPAWN_DUP2, fd, to) for to, fd in high.items()]
    defaults = {int(number) for number in signal.valid_signals()} - {signal.SIGKILL, signal.SIGSTOP}
    try:
        return os.posix_spawn(argv[0], argv, env, file_actions=files, setsigdef=defaults, setsigmask=())
    finally:
        for fd in (*high.values(), *inherited.values()):
            os.close(fd)
