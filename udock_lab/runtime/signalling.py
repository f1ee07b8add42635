"""Signals to a container's processes, by a pidfd that is proven to be its own (pidfd_open(2))."""

from __future__ import annotations

import os
import signal as signals
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from udock_lab.errors import MdockError
from udock_lab.model import Record
from udock_lab.runtime.state import containers, living
from udock_lab.runtime.state.home import Home

__all__ = ["ask_permission", "its_pidfd", "send", "signal_name"]


@contextmanager
def its_pidfd(home: Home, record: Record) -> Iterator[int | None]:
    """Give a pidfd of the container's first process, proven to be that very process; None if it is gone."""
    try:
        pidfd = os.pidfd_open(record.pid)
    except OSError:
        yield None
        return
    try:
        alive = not containers.has_ended(record) and living.is_alive(home, record)
        yield pidfd if alive else None
    finally:
        os.close(pidfd)


def send(pid: int, pidfd: int, number: int) -> None:
    """Signal the process group; the process itself, through its pidfd, if it left its group."""
    with suppress(ProcessLookupError):
        try:
            if os.getpgid(pid) == pid:
                os.killpg(pid, number)
            else:
                signals.pidfd_send_signal(pidfd, number)
        except PermissionError:
            raise _not_yours(pid) from None


def ask_permission(pid: int, pidfd: int) -> None:
    """Signal 0 asks and does nothing (kill(2)): what may not be signalled leaves no word in the table or the log."""
    with suppress(ProcessLookupError):
        try:
            signals.pidfd_send_signal(pidfd, 0)
        except PermissionError:
            raise _not_yours(pid) from None


def _not_yours(pid: int) -> MdockError:
    return MdockError(
        f"Process {pid} belongs to another user, so you may not send it a signal.",
        "Do it as the user who started it, or with sudo.",
    )


def signal_name(number: int) -> str:
    """Return the name of a signal; its number where it has no name."""
    try:
        return signals.Signals(number).name
    except ValueError:  # real-time signals have numbers only
        return str(number)
