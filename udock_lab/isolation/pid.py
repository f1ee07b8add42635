"""Processes: who looks after orphans, and the first process of a pid namespace (pid_namespaces(7))."""

from __future__ import annotations

import os

from udock_lab.isolation.step import Child, Step
from udock_lab.linux.prctl import PR_SET_CHILD_SUBREAPER, PR_SET_PDEATHSIG, prctl

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

_NOT_ADOPTED = 125  # exit code for a first process that was killed before it was adopted: mdock itself failed

__all__ = ["FirstProcess", "ParentDeathSignal", "ProcessInside", "Subreaper"]


class Subreaper(Step):
    """Orphans of this process stay below it (prctl(2), PR_SET_CHILD_SUBREAPER); the flag survives exec."""

    name = "subreaper"
    call = "prctl"

    def describe(self) -> str:
        return "prctl(PR_SET_CHILD_SUBREAPER, 1)"

    def apply(self, child: Child) -> None:
        prctl(PR_SET_CHILD_SUBREAPER, 1)


class ParentDeathSignal(Step):
    """Get this signal when the thread that started us ends (prctl(2)): stopped or not, we see that nobody is there."""

    name = "parent_death_signal"
    call = "prctl"
    fields = ("number",)
    number: int

    def describe(self) -> str:
        return f"prctl(PR_SET_PDEATHSIG, {self.number})"

    def apply(self, child: Child) -> None:
        prctl(PR_SET_PDEATHSIG, self.number)


class FirstProcess(Step):
    """Fork the new pid namespace's first process, and go on in it: who asked for the namespace stays outside.

    It waits out there, and ends with the code that the first process ends with; or its own parent ends it, and waits
    for the first process itself: then no signal is folded out of the wait status.
    """

    name = "first_process"
    call = "fork"

    def describe(self) -> str:
        return "fork()"

    def apply(self, child: Child) -> None:
        first = os.fork()
        if first:
            code = os.waitstatus_to_exitcode(os.waitpid(first, 0)[1])
            os._exit(_NOT_ADOPTED if child.is_adopted and code < 0 else code & 0xFF)


class ProcessInside(Step):
    """Fork the process that all this is for, and go on in it: the namespace's first process looks after all others."""

    name = "process_inside"
    call = "fork"

    def describe(self) -> str:
        return "fork()"

    def apply(self, child: Child) -> None:
        if child.parent is not None:
            child.parent.inside()
        inside = os.fork()
        if inside:
            _look_after(inside, child)


def _look_after(inside: int, child: Child) -> NoReturn:
    """Collect whoever ends, tell the parent how the process inside ended, and stay until all are gone.

    When this process ends, the kernel kills all others in the namespace: whoever has waited long enough ends it.
    """
    parent = child.parent
    try:
        while True:
            try:
                pid, status = os.waitpid(-1, 0)
            except ChildProcessError:
                break
            if pid == inside and parent is not None:
                parent.ended(status)
        if parent is not None:
            parent.alone()
    finally:
        os._exit(0)
