"""``%load_ext udock_lab`` a second time says nothing: each notebook begins with it, and cells are run again.

IPython's own magic prints a sentence then, which a learner takes for an error. Of other extensions it still does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["loads_as_before", "loads_quietly"]

_NAME, _MAGIC = "udock_lab", "load_ext"


class _QuietLoad:
    """A magic before IPython's own, which it calls."""

    def __init__(self, ip: InteractiveShell, before: Any) -> None:
        self.ip, self.before = ip, before
        self.__doc__ = before.__doc__

    def __call__(self, line: str) -> object:
        if line.strip() == _NAME and _NAME in getattr(self.ip.extension_manager, "loaded", ()):
            return None
        return self.before(line)


def loads_quietly(ip: InteractiveShell) -> None:
    """Put a magic of the same name before IPython's."""
    before = _there(ip)
    if before is not None and not isinstance(before, _QuietLoad):
        ip.magics_manager.magics["line"][_MAGIC] = _QuietLoad(ip, before)


def loads_as_before(ip: InteractiveShell) -> None:
    """Give IPython's own magic its place again."""
    here = _there(ip)
    if isinstance(here, _QuietLoad):
        ip.magics_manager.magics["line"][_MAGIC] = here.before


def _there(ip: Any) -> Any:
    return ip.find_line_magic(_MAGIC)
