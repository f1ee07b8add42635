"""Which system calls explain something: what Python and the loader do for themselves does not."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Sequence

from udock_lab.linux.pidnumbers import FORKS
from udock_lab.linux.strace import STEP_CALLS
from udock_lab.model import SystemCall
from udock_lab.sandbox.descriptors import OURS

__all__ = ["of_interest"]

_LIBRARIES = (sys.prefix, sys.base_prefix, "/usr/lib", "/lib", "/etc/ld.so", "/usr/share/locale", "/usr/local/lib")
_OPENS = frozenset(("open", "openat", "openat2"))
_STEPS = frozenset(STEP_CALLS) - _OPENS
_IMPORTS = ("import ", "from ")
_BY_IMPORTS = _OPENS | {"mkdir", "rename"}  # modules are looked for, and kept compiled in __pycache__
_DESCRIPTOR = re.compile(r"(\d+)\b")


def of_interest(calls: Sequence[SystemCall], sources: Sequence[str] = ("",)) -> tuple[SystemCall, ...]:
    """Return those calls that explain something, in their order; ``sources``, the code and cells that lines are in.

    A file that nobody wants to see opened is passed over as long as it is open, and so is what an import does.
    """
    hidden: dict[int, set[int]] = {}
    became: set[int] = set()
    texts = [["", *source.splitlines()] for source in sources]
    wanted = {id(call) for call in sorted(calls, key=lambda call: call.start) if _shown(call, hidden, became, texts)}
    return tuple(call for call in calls if id(call) in wanted)


def _shown(call: SystemCall, hidden: dict[int, set[int]], became: set[int], texts: Sequence[Sequence[str]]) -> bool:
    """Decide on one call, in the order of their beginnings, and note what it does to the files passed over."""
    unseen = hidden.setdefault(call.pid, {OURS})
    if call.name in FORKS and call.value and call.value != call.pid:
        hidden[call.value] = set(unseen)
    elif call.name in ("execve", "execveat") and call.value == 0:
        became.add(call.pid)
        unseen.clear()
    lines = texts[call.cell]
    text = lines[call.line] if call.line < len(lines) else ""
    if call.name in _STEPS:
        return _step_shown(call, unseen, call.pid in became, text)
    shown = _explains(call) and not (call.name in _BY_IMPORTS and text.lstrip().startswith(_IMPORTS))
    if call.name in _OPENS and call.value is not None:
        (unseen.discard if shown else unseen.add)(call.value)
    return shown


def _step_shown(call: SystemCall, unseen: set[int], became: bool, text: str) -> bool:
    found = _DESCRIPTOR.match(call.arguments)
    descriptor = int(found[1]) if found else -1
    if descriptor in unseen:
        if call.name == "close":
            unseen.discard(descriptor)
        return False
    if text.lstrip().startswith(_IMPORTS):
        return False
    if call.name == "lseek":  # Python asks where a file stands whenever it opens and reads one
        return "lseek" in text or ", 0, SEEK_CUR" not in call.arguments
    return not (became and call.name == "close" and descriptor <= 2)  # programs close these as they end


def _explains(call: SystemCall) -> bool:
    """Return whether a call explains something: opens of Python's own files and of shared libraries do not.

    Nor do a limit that is only read, and a call that the kernel makes a second time unseen by the program.
    """
    if call.errno == "ERESTARTNOINTR" or (call.name == "prlimit64" and ", NULL, {" in call.arguments):
        return False
    if "O_DIRECTORY" in call.arguments and any(f'"{entry}"' in call.arguments for entry in _folders()):
        return False  # the import system looks for modules
    if call.name not in _OPENS:
        return True
    path = call.arguments.partition('"')[2].partition('"')[0]
    return not path.startswith(_LIBRARIES) and not path.endswith((".py", ".pyc", ".so")) and "<sandbox>" not in path


def _folders() -> Iterable[str]:
    return (os.getcwd(), *sys.path)
