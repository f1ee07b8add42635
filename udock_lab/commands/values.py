"""The values of options, from the words that a person types. Each error is a UsageError that says what to write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from udock_lab.errors import UsageError

__all__ = ["count", "environment", "lines", "seconds", "signal_number", "size", "whole_seconds"]

_LARGEST = 2**63 - 1  # RLIM_INFINITY is 2**64 - 1; the kernel treats larger values as signed


def size(text: str) -> int:
    """Return bytes from ``64M``, ``64MiB``, ``65536K`` or ``67108864``; units are powers of 1024."""
    from udock_lab.text import arguments

    return arguments.size(text)


def _number(text: str, what: str, example: str, smallest: int = 1, largest: int = 2**31 - 1) -> int:
    digits = text.strip()
    value = int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 19 else -1
    if not smallest <= value <= largest:
        raise UsageError(
            f"{text!r} is not {what}.", f"Write a whole number from {smallest} on, for instance {example}."
        )
    return value


def whole_seconds(text: str) -> int:
    """Return seconds of processor time: a whole number above 0."""
    return _number(text, "a number of seconds", "2")


def count(text: str) -> int:
    """Return how many files a process may have open: a whole number above 0."""
    return _number(text, "a count", "64")


def lines(text: str) -> int | None:
    """Return how many lines to show: a whole number, 0 allowed; None for ``all``."""
    if text.strip() == "all":
        return None
    return _number(text, "a number of lines", "20", smallest=0, largest=_LARGEST)


def seconds(text: str) -> float:
    """Return seconds to wait: 0 or more, fractions allowed."""
    parts = text.strip().split(".")
    if len(parts) > 2 or not all(part.isascii() and part.isdigit() and len(part) <= 9 for part in parts):
        raise UsageError(f"{text!r} is not a number of seconds.", "Write for instance -t 10 or -t 0.5.")
    return float(text)


def signal_number(text: str) -> int:
    """Return the number of a signal.

    ``SIGTERM``, ``TERM``, ``term`` and ``15`` are one signal; so are ``RTMIN+3`` and 37 (signal(7)).
    """
    from udock_lab.text.arguments import signal_named

    number = signal_named(text)
    if number is not None:
        return number
    raise UsageError(f"{text!r} is not a signal.", "Write for instance -s TERM, -s SIGKILL or -s 10; all: kill -l")


def environment(pairs: Sequence[str], environ: Mapping[str, str]) -> dict[str, str]:
    """Return the ``-e`` options as a mapping; of two with one name the last counts.

    A bare ``KEY`` has the value that it has in ``environ``, or is left out.
    """
    result: dict[str, str] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not key:
            raise UsageError(f"-e {pair!r} has no name before the '='.", "Write for instance -e GREETING=hello.")
        if not equals:
            if key not in environ:  # as docker: what is unset here is unset there, also after an earlier -e
                result.pop(key, None)
                continue
            value = environ[key]
        result[key] = value
    return result
