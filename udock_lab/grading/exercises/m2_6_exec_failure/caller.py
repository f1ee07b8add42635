"""The process that calls run, and has the answer in it: whatever it says is the learner's word."""

from __future__ import annotations

import json
import os
import signal
import socket
from collections.abc import Sequence
from types import FrameType

from udock_lab.grading.inside import high, high_pipe, said
from udock_lab.grading.workers import Functions, Gate, Tell
from udock_lab.linux.stepping import FORK_CALLS, PROGRAM_CALLS, stop_before

__all__ = ["ASTRAY", "CALLS", "ENDED", "Caller", "Hung", "in_turn"]

ASTRAY = "astray"  # the file in which copies of the caller that come out of run say so
ENDED, BUSY = 111, 110  # exit codes of the caller's other children
# Where it and all that it forks are stopped: to fork, to become a program, and what a child of C's fork does first.
CALLS = {**FORK_CALLS, **PROGRAM_CALLS, "set_robust_list": (273, 99)}


class Hung(BaseException):
    """A run that waits for something that will not come."""


class Caller:
    """What is done in that process before it has the answer.

    It stops before CALLS from then on; who has the listener lets it on. -1: this kernel has none.
    """

    def __init__(self) -> None:
        self._ours, self._theirs = socket.socketpair()

    def begins(self) -> None:
        """Be that process."""
        self._ours.close()
        signal.signal(signal.SIGALRM, _too_long)
        with self._theirs:
            try:
                fd = stop_before(CALLS)
            except OSError:
                self._theirs.send(b".")
            else:
                socket.send_fds(self._theirs, [b"."], [fd])
                os.close(fd)

    def listener(self) -> int:
        """Return it; for the other process."""
        self._theirs.close()
        with self._ours:
            _, fds, _, _ = socket.recv_fds(self._ours, 1, 1)
        return high(fds[0]) if fds else -1


def _others() -> None:
    """Have two children: one has ended and waits to be collected, one goes on until this process has ended."""
    goes_on, stays = high_pipe()
    ended = os.fork()
    if ended == 0:
        os._exit(ENDED)
    if os.fork() == 0:
        os.close(stays)
        os.read(goes_on, 1)
        os._exit(BUSY)
    os.waitid(os.P_PID, ended, os.WEXITED | os.WNOWAIT)


def _too_long(number: int, frame: FrameType | None) -> None:
    raise Hung


def in_turn(tell: Tell, functions: Functions, programs: Sequence[list[str]], gate: Gate, beside: bool) -> None:
    """Call run for each, when the gate is opened; a copy of this process that comes out of run says so and ends.

    ``beside``: it has two other children meanwhile, which have all that the answer has opened.
    """
    run, me = functions[0], os.getpid()
    if beside:
        _others()
    tell(ready=True)
    for number, argv in enumerate(programs):
        gate.wait()
        words = said(run, argv)
        if os.getpid() != me:
            try:
                with open(ASTRAY, "a") as file:
                    file.write(json.dumps([number, words], default=repr) + "\n")
            finally:
                os._exit(_code_of(words))
        tell(outcomes=words | {"number": number})


def _code_of(words: dict[str, object]) -> int:
    """Return the exit code that Python gives to a process that ends this way."""
    if words["how"] == "returned":
        return 0
    text = str(words["shown"])
    return int(text) & 0xFF if words["kind"] == "SystemExit" and text.isdecimal() else 1
