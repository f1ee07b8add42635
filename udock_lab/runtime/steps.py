"""What handed-out notebooks import from here; the steps themselves lie in isolation/, a file for each layer."""

from __future__ import annotations

from udock_lab.isolation.step import STEPS, Child, Step, make_step
from udock_lab.isolation.user import own_namespace

__all__ = ["STEPS", "Child", "NewUserNamespace", "Step", "make_step"]


class NewUserNamespace:
    """Be root in a user namespace of one's own: all four steps in one, as the notebooks of 0.1.0 know it."""

    def __init__(self, uid: int, gid: int) -> None:
        self.steps = own_namespace(uid, gid)

    def describe(self) -> str:
        """Return the call that begins it."""
        return self.steps[0].describe()

    def apply(self, child: Child | None) -> None:
        """Make the four calls; OSError if the kernel refuses one."""
        for step in self.steps:
            step.apply(child or Child())
