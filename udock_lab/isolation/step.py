"""A step between fork and exec: one system call that knows its name, says what it is and does it.

A step travels to the child as a list, its name first. Steps run in the order of sequence.py. Light, since each fork
of a container copies it.
"""

from __future__ import annotations

import errno
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Protocol, TypeVar

    from udock_lab.isolation.ask import Ask

    S = TypeVar("S", bound="Step")

    class Parent(Protocol):
        """Whoever stays outside, as a child sees it."""

        def ask(self, ask: Ask) -> int:
            """Have it done there; 0 or the errno of the refusal."""

        def inside(self) -> None:
            """Hear of the first process of a pid namespace, which says this itself."""

        def ended(self, status: int) -> None:
            """Hear of the end of the process inside, with its raw wait status, and look at what it left."""

        def alone(self) -> None:
            """Hear that nobody else is left inside."""


__all__ = ["ANY_ERRNO", "STEPS", "Child", "Step", "apply", "make_step", "optional"]

ANY_ERRNO = range(1, 4096)  # MAX_ERRNO


class Child:
    """What the steps know of the process that they are applied to, and learn on the way."""

    SYNC, REPORTS = 3, 4  # what a container's child keeps open beside 0, 1, 2: the sync socket, the pipe of its reports

    def __init__(self, rootfs: str = "/", parent: Parent | None = None, *, is_adopted: bool = False) -> None:
        self.rootfs = rootfs  # the folder that is to become /
        self.parent = parent
        self.is_adopted = is_adopted  # our parent takes what we fork for its own child, and ends us for that
        self.container = -1  # a pidfd of the first process of the container that is entered
        self.inside = False  # it has become /
        self.workdir = "/"
        self.held: dict[str, int] = {}  # folders that were opened while they could be reached
        self.waiting_filter = b""  # one that the kernel takes from us only after no_new_privs
        self.files = ""  # what keeps it from files, if anything
        self.signals = ""  # what keeps its signals inside
        self.refused: dict[str, int] = {}  # steps that were refused and are done without, with the errno
        self.failed: Step | None = None  # the one that could not be done without

    def ask(self, ask: Ask) -> None:
        """Have the parent do its half; OSError with its errno when it was refused."""
        number = self.parent.ask(ask) if self.parent is not None else errno.EPIPE
        if number:
            raise OSError(number, os.strerror(number), ask.about)


class Step:
    """One system call of the set-up.

    ``call`` is its name in section 2 of the manual. ``optional_errnos``: refusals after which the run goes on.
    """

    name = "step"
    call = ""
    fields: tuple[str, ...] = ()
    optional_errnos: Sequence[int] = ()

    def __init_subclass__(cls) -> None:
        """Be known by name: so a child makes it again from the words that travelled."""
        assert cls.name not in STEPS, cls.name
        STEPS[cls.name] = cls

    def __init__(self, *values: object) -> None:
        for field, value in zip(self.fields, values, strict=True):
            setattr(self, field, value)

    def words(self) -> list[Any]:
        """Return what travels: its name, then its fields; those of a container's steps are text and whole numbers."""
        return [self.name, *(getattr(self, field) for field in self.fields)]

    def describe(self) -> str:
        """Return the call as a person writes it."""
        raise NotImplementedError

    def apply(self, child: Child) -> None:
        """Make the call; OSError if the kernel refuses."""
        raise NotImplementedError


STEPS: dict[str, type[Step]] = {}  # by name; a step is known once the file of its layer is imported


def make_step(words: Sequence[object]) -> Step:
    """Make the step that travelled as ``[name, field, ...]``; KeyError, ValueError for what is none."""
    return STEPS[str(words[0])](*words[1:])


def optional(step: S) -> S:
    """Let a refusal of this step end nothing, and return it. That does not travel."""
    step.optional_errnos = ANY_ERRNO
    return step


def apply(step: Step, child: Child) -> None:
    """Make its call. A refusal that may be survived is noted; OSError for any other."""
    try:
        step.apply(child)
    except OSError as error:
        if error.errno not in step.optional_errnos:
            child.failed = step
            raise
        child.refused[step.name] = error.errno or 0
