"""What may come next on a command line: subcommands, options, image names, container ids."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from udock_lab.commands.base import COMMANDS, Command
from udock_lab.commands.parsing import parser_of

if TYPE_CHECKING:
    from udock_lab.runtime.engine import Runtime

__all__ = ["candidates", "wanted_path"]


def candidates(before: Sequence[str], current: str, open_runtime: Callable[[], Runtime]) -> list[tuple[str, str]]:
    """Return (word, kind) pairs that begin with ``current``, given the words before it (without ``mdock``).

    ``open_runtime`` is called only where names of images or containers are wanted; its errors pass through.
    """
    before = list(before[1:] if before[:1] == ["--debug"] else before)
    if not before or before == ["help"]:
        found = [(name, "command") for name in COMMANDS]
    elif before[0] not in COMMANDS:
        found = []
    else:
        found = _inside(COMMANDS[before[0]], before[1:], current, open_runtime)
    return [pair for pair in found if pair[0].startswith(current)]


def wanted_path(before: Sequence[str], current: str) -> str:
    """Return ``files`` or ``folders`` of this machine, where one of those comes next; else nothing."""
    if not before or before[0] not in COMMANDS:
        return ""
    command = COMMANDS[before[0]]
    option, arguments = _read(command, before[1:])
    if option == "--env-file":
        return "files"
    if option or current.startswith("-"):
        return ""
    named = any(word in ("-t", "--tag") or word.startswith("--tag=") for word in before)
    is_folder = {"build": arguments >= 1 or named, "rootfs": not arguments}
    return "folders" if is_folder.get(command.name) else ""


def _read(command: Command, words: Sequence[str]) -> tuple[str, int]:
    """Return the option that still waits for its value, and how many arguments there are."""
    known = parser_of(command)._option_string_actions
    option, arguments = "", 0
    for word in words:
        if option:
            option = ""
        elif word.startswith("-") and word != "--":
            option = _lacks_value(known, word)
        elif word != "--":
            arguments += 1
    return option, arguments


def _inside(
    command: Command, before: Sequence[str], current: str, open_runtime: Callable[[], Runtime]
) -> list[tuple[str, str]]:
    value_of, arguments = _read(command, before)
    name, joined, value = current.partition("=")
    if not value_of and joined and name.startswith("--"):
        return [(f"{name}={word}", kind) for word, kind in _values(command, name, value)]
    if value_of:
        return _values(command, value_of, current)
    if command.tail and arguments:
        return []
    if current.startswith("-"):
        return [(name, "option") for name in parser_of(command)._option_string_actions]
    if command.words:
        return [(word, "word") for word in (*command.words, ())[min(arguments, len(command.words))]]
    return _names(command, before, open_runtime)


def _values(command: Command, option: str, current: str) -> list[tuple[str, str]]:
    """Return what the value of an option may be, where that is known."""
    if option in ("-s", "--signal"):
        return [(name, "signal") for name in _signals(current)]
    if option in ("-f", "--filter") and command.name == "ps":
        from udock_lab.commands.filters import KEYS, STATES

        return [*((f"{key}=", "filter") for key in KEYS), *((f"status={state}", "filter") for state in STATES)]
    return []


def _signals(current: str) -> list[str]:
    """Return signals written as they were begun: ``TE`` or ``SIGTE``."""
    cut = 0 if current.startswith("SIG") or not current else len("SIG")
    return [name[cut:] for name in signal.Signals.__members__]


def _lacks_value(known: Mapping[str, object], word: str) -> str:
    """Return the option that still waits for its value after ``word``, or nothing."""
    name = word if word.startswith("--") else "-" + word[-1]
    action = known.get(name)
    return name if action is not None and getattr(action, "nargs", 0) != 0 else ""


def _names(command: Command, before: Sequence[str], open_runtime: Callable[[], Runtime]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    if command.completes in ("container", "running", "both"):
        from udock_lab.runtime.state.listing import Choice

        there = open_runtime().ids(Choice(running=command.completes == "running"))
        found += [(container_id, "container") for container_id in there]
    if command.completes in ("image", "both"):
        found += [(image.name, "image") for image in open_runtime().images()]
    return [pair for pair in found if pair[0] not in before]
