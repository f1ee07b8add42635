"""``%reproduce`` as IPython knows it. Cheap to import: every notebook's first cell does."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["load", "unload"]

_NAME = "reproduce"


def load(ip: InteractiveShell) -> None:
    """Register the magic; loading twice changes nothing."""

    def reproduce(line: str) -> None:
        """Put a ready cell below in which a failed requirement of the last check is seen: %reproduce 3."""
        from udock_lab.grading.reproducing import cell_for

        ip.set_next_input(cell_for(line, ip.user_ns))

    ip.magics_manager.register_function(reproduce, "line", _NAME)


def unload(ip: InteractiveShell) -> None:
    """Take it away again."""
    ip.magics_manager.magics["line"].pop(_NAME, None)
