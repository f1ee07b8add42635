"""``--filter`` of ``ps`` and ``images``, as docker has it: KEY=VALUE.

Several values of one key mean any of them; several keys mean all of them. Most keys ask the record alone; only
``status`` and ``exited`` may need to know whether the process lives.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Sequence
from typing import TypeVar

from udock_lab.errors import NotFound, UsageError
from udock_lab.model import Image, Record
from udock_lab.runtime.state.listing import Standing

__all__ = ["KEYS", "STATES", "filtered_images", "tests_of"]

T = TypeVar("T")
OfRecord = Callable[[Record], bool]
OfStanding = Callable[[Standing], bool]

STATES = ("running", "exited", "stopped", "killed", "stopping", "orphaned", "elsewhere")
KEYS = ("status", "ancestor", "id", "name", "exited", "before", "since")
_HINT = "For instance: --filter status=running"
_NOWHERE = ("label", "volume", "network", "publish", "expose", "health", "isolation", "is-task")


def tests_of(
    filters: Sequence[str], records: Callable[[], Sequence[Record]]
) -> tuple[OfRecord | None, OfStanding | None]:
    """Return what the filters ask of a record, and what of a record beside its process; None for nothing.

    Raise UsageError for a filter that is none. ``records`` gives every record there is.
    """
    of_standing: _Tests[Standing] = {}
    of_record: _Tests[Record] = {}
    for key, value in _pairs(filters):
        if key == "status":
            of_standing.setdefault(key, []).append(_by_status(value))
        elif key == "exited":
            of_standing.setdefault(key, []).append(_by_code(value))
        else:
            of_record.setdefault(key, []).append(_of_record(key, value, records))
    return _all_of(of_record), _all_of(of_standing)


def filtered_images(images: Sequence[Image], filters: Sequence[str]) -> list[Image]:
    """Return the images that pass; raise UsageError for a filter that is none."""

    def test(key: str, value: str) -> Callable[[Image], bool]:
        if key != "reference":
            raise UsageError(f"--filter {key}: images are chosen by reference alone.", "--filter 'reference=de*'")
        pattern = value.removesuffix(":latest")
        return lambda image: fnmatch.fnmatchcase(image.name, pattern)

    passes = _all_of({"reference": [test(key, value) for key, value in _pairs(filters)]} if filters else {})
    return [image for image in images if passes is None or passes(image)]


_Tests = dict[str, list[Callable[[T], bool]]]


def _pairs(filters: Sequence[str]) -> list[tuple[str, str]]:
    pairs = []
    for text in filters:
        key, equals, value = text.partition("=")
        if not equals:
            raise UsageError(f"--filter {text!r} has no '='.", _HINT)
        pairs.append((key.strip(), value.strip()))
    return pairs


def _all_of(tests: _Tests[T]) -> Callable[[T], bool] | None:
    if not tests:
        return None
    return lambda entry: all(any(test(entry) for test in some) for some in tests.values())


def _of_record(key: str, value: str, records: Callable[[], Sequence[Record]]) -> OfRecord:
    if key == "ancestor":
        return lambda record: record.image == value.removesuffix(":latest")
    if key == "id":
        return lambda record: record.id == value
    if key == "name":
        return _by_name(value)
    if key in ("before", "since"):
        return _by_age(key, value, records)
    why = "mdock's containers have none" if key in _NOWHERE else "there is no such key"
    raise UsageError(f"--filter {key}: {why}. The keys are {', '.join(KEYS)}.", _HINT)


def _by_status(value: str) -> OfStanding:
    """Filter by the word that ps shows; ``exited (orphaned)`` is both exited and orphaned."""
    if value not in STATES:
        raise UsageError(f"--filter status={value}: there is no such status.", f"There are: {', '.join(STATES)}.")
    return lambda standing: value in re.findall(r"\w+", standing.state)


def _by_name(value: str) -> OfRecord:
    """Filter as docker: by a part of the name, or a regular expression."""
    try:
        pattern = re.compile(value)
    except (re.error, RecursionError, OverflowError):
        raise UsageError(f"--filter name={value} is no regular expression.", "Write a part of the name.") from None
    return lambda record: pattern.search(record.id) is not None


def _by_code(value: str) -> OfStanding:
    if not re.fullmatch(r"[0-9]{1,3}", value):
        raise UsageError(f"--filter exited={value}: an exit code is a number from 0 to 255.", "--filter exited=137")
    return lambda standing: not standing.alive and standing.record.exit_code == int(value)


def _by_age(key: str, value: str, records: Callable[[], Sequence[Record]]) -> OfRecord:
    if all(record.id != value for record in records()):
        raise NotFound(f"--filter {key}={value}: there is no container {value}.", "List containers with: mdock ps")
    pivot = int(value[1:])
    return lambda record: int(record.id[1:]) < pivot if key == "before" else int(record.id[1:]) > pivot
