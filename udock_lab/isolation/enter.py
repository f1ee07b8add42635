"""Put the layers on, here and now: for a process that shuts itself in before it runs somebody else's code."""

from __future__ import annotations

from udock_lab.isolation.sequence import steps_of
from udock_lab.isolation.step import Child, apply

TYPE_CHECKING = False
if TYPE_CHECKING:
    from udock_lab.isolation.step import Parent
    from udock_lab.isolation.wanted import Wanted

__all__ = ["enter"]


def enter(wanted: Wanted, parent: Parent | None = None) -> Child:
    """Apply every step that is wanted, and return, in the process inside, what came of them.

    OSError when a step was refused that must not be; its attribute ``filename`` is set where it is about a path.
    """
    child = Child(wanted.rootfs or "/", parent)
    for step in steps_of(wanted):
        apply(step, child)
    return child
