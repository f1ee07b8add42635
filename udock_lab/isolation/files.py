"""Files out of reach, without privilege and without mounts (landlock(7))."""

from __future__ import annotations

from udock_lab.isolation.step import ANY_ERRNO, Child, Step
from udock_lab.linux import landlock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from udock_lab.isolation.wanted import Files

__all__ = ["KeepToFiles", "keep_to"]


def keep_to(files: Files) -> list[Step]:
    """Return the steps of one rule set, for good.

    They are done without where the kernel has no Landlock, or too old a one.
    """
    return [KeepToFiles(files.reading, files.devices, files.writing)]


class KeepToFiles(Step):
    """Read and execute below some folders, write below others, and nothing else; set no_new_privs on the way.

    From Linux 6.12 on the same rule set holds signals inside, too: a second one would refuse to move files.
    """

    name = "landlock_files"
    call = "landlock_restrict_self"
    fields = ("reading", "devices", "writing")
    optional_errnos = ANY_ERRNO
    reading: tuple[str, ...]
    devices: tuple[str, ...]
    writing: tuple[str, ...]

    def describe(self) -> str:
        return f"landlock_restrict_self(read {len(self.reading)} folders, write {', '.join(self.writing)})"

    def apply(self, child: Child) -> None:
        signals = landlock.keep_to(reading=self.reading, devices=self.devices, writing=self.writing)
        child.files = "landlock"
        child.signals = "landlock" if signals else child.signals
