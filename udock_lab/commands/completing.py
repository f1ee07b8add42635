"""What may come next on a command line: subcommands, options, image names, container ids."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from udock_lab.commands import COMMANDS
from udock_lab.commands.base import Command
from udock_lab.commands.parsing import parser_of

if TYPE_CHECKING:
    from udock_lab.runtime.engine import Runtime

__all__ = ["candidates"]


def candidates(before: Sequence[str], current: str, open_runtime: Callable[[], Runtime]) -> list[tuple[str, str]]:
    """(word, kind) pairs that begin with ``current``, given the words before it (without ``mdock``).

    ``open_runtime`` is called only where names of images or containers are wanted; its errors pass through.
    """
    if not before:
        found = [(name, "command") for name in COMMANDS]
    elif before[0] not in COMMANDS:
        found = []
    else:
        found = _inside(COMMANDS[before[0]], before[1:], current, open_runtime)
    return [pair for pair in found if pair[0].startswith(current)]


def _inside(
    command: Command, before: Sequence[str], current: str, open_runtime: Callable[[], Runtime]
) -> list[tuple[str, str]]:
    known = parser_of(command)._option_string_actions
    value_of = ""
    arguments = 0
    for word in before:
        if value_of:
            value_of = ""
        elif word.startswith("-") and word != "--":
            value_of = _lacks_value(known, word)
        elif word != "--":
            arguments += 1
    if value_of in ("-s", "--signal"):
        return [(name, "signal") for name in signal.Signals.__members__]
    if value_of in ("-f", "--filter") and command.name == "ps":
        from udock_lab.commands.filters import KEYS, STATES

        return [*((f"{key}=", "filter") for key in KEYS), *((f"status={state}", "filter") for state in STATES)]
    if value_of or (command.tail and arguments):
        return []
    if current.startswith("-"):
        return [(name, "option") for name in known]
    return _names(command, before, open_runtime)


def _lacks_value(known: Mapping[str, object], word: str) -> str:
    """The option that still waits for its value after ``word``, or nothing."""
    name = word if word.startswith("--") else "-" + word[-1]
    action = known.get(name)
    return name if action is not None and getattr(action, "nargs", 0) != 0 else ""


def _names(command: Command, before: Sequence[str], open_runtime: Callable[[], Runtime]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    if command.completes in ("container", "both"):
        found += [(container.id, "container") for container in open_runtime().ps()]
    if command.completes in ("image", "both"):
        found += [(image.name, "image") for image in open_runtime().images()]
    return [pair for pair in found if pair[0] not in before]
