"""A command line without options, read without argparse: to import that takes longer than to start a program."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from udock_lab.commands.base import Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
else:
    Namespace = type(sys.implementation)  # types.SimpleNamespace, of which argparse's is a copy

__all__ = ["read_without_options"]


class _Defaults:
    """Stands where a command adds its options to a parser, and remembers what each is when it is not given."""

    def __init__(self) -> None:
        self.arguments: list[str] = []
        self.found: dict[str, object] = {}

    def add_argument(self, *names: str, dest: str = "", action: str = "", **more: object) -> None:
        """Note one, as argparse names it."""
        if not names[0].startswith("-"):
            self.arguments.append(names[0])
            return
        long = next((name for name in names if name.startswith("--")), names[0])
        unset = {"store_true": False, "store_false": True}.get(action)
        self.found.setdefault(dest or long.lstrip("-").replace("-", "_"), more.get("default", unset))

    def add_argument_group(self, *_: str) -> _Defaults:
        """Group nothing."""
        return self


_known: dict[str, tuple[Command, _Defaults]] = {}


def _defaults_of(command: Command) -> _Defaults:
    known, defaults = _known.get(command.name, (None, None))
    if defaults is None or known is not command:
        defaults = _Defaults()
        if command.configure is not None:
            parser: ArgumentParser = defaults  # type: ignore[assignment]
            command.configure(parser)
        _known[command.name] = command, defaults
    return defaults


def read_without_options(command: Command, words: Sequence[str]) -> Namespace | None:
    """Return what ``parsing.parse`` would, where the words of ``run`` or ``exec`` begin with no option; else None."""
    if not command.tail or not words or words[0].startswith("-") or any("\0" in word for word in words):
        return None
    defaults = _defaults_of(command)
    first, *tail = words
    if tail[:1] == ["--"]:
        del tail[0]
    return Namespace(**defaults.found, **{defaults.arguments[0]: first, command.tail: tail})
