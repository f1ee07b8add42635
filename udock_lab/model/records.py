"""What mdock keeps of images and containers, and what it knows of them now.

Times are local ISO 8601 texts with seconds.
"""

from __future__ import annotations

from enum import Enum

from udock_lab.model.value import Value

__all__ = ["Container", "Image", "Inspection", "Isolation", "Record", "Status"]


class Status(str, Enum):
    """The word in the fourth field of ``containers.db``."""

    RUNNING = "running"
    EXITED = "exited"
    STOPPED = "stopped"
    KILLED = "killed"


class Isolation(str, Enum):
    """How far the container's file system view is shut in."""

    CHROOT = "chroot"
    USERNS = "userns+chroot"
    CHDIR = "chdir"


class Record(Value):
    """One line of ``containers.db``. ``exit_code`` and ``end_time`` are None while it runs."""

    id: str
    pid: int
    image: str
    status: Status
    start_time: str
    end_time: str | None = None
    exit_code: int | None = None


class Image(Value):
    """One line of ``images.db``."""

    name: str
    rootfs: str
    created: str


class Container(Value):
    """A record beside what the kernel says of its process now.

    ``state`` is what a person should read: the record's status, ``exited (orphaned)`` when the record says running
    and the process is gone, or ``elsewhere (why)`` when its supervisor lives where this process cannot see its
    own: ``elsewhere`` then says why. ``alive`` is True only for what was seen; ``uptime`` is in seconds, else None.
    """

    record: Record
    state: str
    alive: bool
    uptime: float | None = None
    command: str = ""
    isolation: Isolation | None = None
    elsewhere: str = ""

    @property
    def id(self) -> str:
        """The container's id, for instance ``c7``."""
        return self.record.id


class Inspection(Value):
    """Everything mdock knows of one container: record, spec, identity, steps (JSON-like values)."""

    kind: str  # "container" or "image"
    data: dict[str, object]
