"""System calls refused by a filter (seccomp(2)): here, kill(-1) in a container that a notebook started.

Light, since each fork of a container copies it: the filter itself travels (linux/seccomp_filters.py makes it).
"""

from __future__ import annotations

import errno
import os

from udock_lab.isolation.step import ANY_ERRNO, Child, Step
from udock_lab.linux.prctl import PR_SET_NO_NEW_PRIVS, prctl
from udock_lab.linux.seccomp import set_filter

__all__ = ["GUARD", "NoNewPrivs", "Signals", "refuse_kill_all"]


def refuse_kill_all() -> list[Step]:
    """Set the filter, and try again without the privilege where that is missing."""
    from udock_lab.linux.seccomp_filters import kill_all_refused

    return [Signals(kill_all_refused().hex()), NoNewPrivs()]


class Signals(Step):
    """``kill(-1)`` is refused, which would end the notebook that started us (seccomp(2)): last of all steps.

    Nobody asked for it, so the run goes on where the machine refuses it. ``code``: the filter in hexadecimal.
    """

    name = "signals"
    call = "prctl"
    fields = ("code",)
    code: str
    optional_errnos = ANY_ERRNO

    def describe(self) -> str:
        return "prctl(PR_SET_SECCOMP, no kill(-1))"

    def apply(self, child: Child) -> None:
        try:
            code = bytes.fromhex(self.code)
            set_filter(code)
        except MemoryError:  # RLIMIT_AS is at work already
            raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM)) from None
        except OSError as error:
            if error.errno == errno.EACCES:
                child.waiting_filter = code
            raise


class NoNewPrivs(Step):
    """Without CAP_SYS_ADMIN the filter needs this first (prctl(2)): no setuid program gives privileges any more."""

    name = "no_new_privs"
    call = "prctl"
    optional_errnos = ANY_ERRNO

    def describe(self) -> str:
        return "prctl(PR_SET_NO_NEW_PRIVS, 1), if the filter needs it"

    def apply(self, child: Child) -> None:
        if child.waiting_filter:
            prctl(PR_SET_NO_NEW_PRIVS, 1)
            set_filter(child.waiting_filter)


GUARD = (Signals.name, NoNewPrivs.name)  # in their order
