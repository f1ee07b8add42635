"""What one home has been told to do by default: ``run/config``, a text file with a line ``NAME=on`` for each setting.

Whoever asks for something in one run is obeyed in that run; a setting answers where nobody asked.
"""

from __future__ import annotations

from udock_lab.errors import UsageError
from udock_lab.runtime.state.lock import locked
from udock_lab.runtime.state.tables import append_line, read_lines, replace_lines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from udock_lab.runtime.state.home import Home

__all__ = ["SETTINGS", "check_name", "load", "save"]

SETTINGS = {"userns": "each run has a user namespace of its own, in which chroot works without root"}
_VALUES = {b"on": True, b"off": False}


def check_name(name: str) -> str:
    """Return ``name`` if there is such a setting; UsageError names those that are."""
    if name not in SETTINGS:
        raise UsageError(f"mdock has no setting {name!r}.", f"It has: {', '.join(SETTINGS)}. See them: mdock config")
    return name


def load(home: Home) -> tuple[dict[str, bool], list[bytes]]:
    """Return what was set, and the lines that set nothing; raise StorageError if unreadable.

    The last line of a name counts.
    """
    found, corrupt = {}, []
    for line in read_lines(home.config):
        name, value = _parse(line)
        if name in SETTINGS and value is not None:
            found[name] = value
        elif line.strip():
            corrupt.append(line)
    return found, corrupt


def save(home: Home, name: str, value: bool) -> None:
    """Set it from now on, for every process that uses this home. Other lines are kept as they are."""
    new, known = f"{check_name(name)}={'on' if value else 'off'}".encode(), False

    def change(line: bytes) -> bytes:
        nonlocal known
        mine = _parse(line)[0] == name
        known = known or mine
        return new if mine else line

    with locked(home):
        replace_lines(home.config, change)
        if not known:
            append_line(home.config, new + b"\n")


def _parse(line: bytes) -> tuple[str, bool | None]:
    name, _, value = line.partition(b"=")
    return name.strip().decode("utf-8", "replace"), _VALUES.get(value.strip())
