"""``--filter`` of ``ps`` and ``images``, as docker has it: KEY=VALUE.

Several values of one key mean any of them; several keys mean all of them.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Sequence
from typing import TypeVar

from udock_lab.errors import NotFound, UsageError
from udock_lab.model import Container, Image

__all__ = ["KEYS", "STATES", "filtered", "filtered_images"]

T = TypeVar("T")
Test = Callable[[Container], bool]

STATES = ("running", "exited", "stopped", "killed", "stopping", "orphaned", "elsewhere")
KEYS = ("status", "ancestor", "id", "name", "exited", "before", "since")
_HINT = "For instance: --filter status=running"
_NOWHERE = ("label", "volume", "network", "publish", "expose", "health", "isolation", "is-task")


def filtered(containers: Sequence[Container], filters: Sequence[str]) -> list[Container]:
    """Return the containers that pass; raise UsageError for a filter that is none."""
    return _passing(containers, filters, lambda key, value: _test(key, value, containers))


def filtered_images(images: Sequence[Image], filters: Sequence[str]) -> list[Image]:
    """Return the images that pass; raise UsageError for a filter that is none."""

    def test(key: str, value: str) -> Callable[[Image], bool]:
        if key != "reference":
            raise UsageError(f"--filter {key}: images are chosen by reference alone.", "--filter 'reference=de*'")
        pattern = value.removesuffix(":latest")
        return lambda image: fnmatch.fnmatchcase(image.name, pattern)

    return _passing(images, filters, test)


def _passing(
    entries: Sequence[T], filters: Sequence[str], make_test: Callable[[str, str], Callable[[T], bool]]
) -> list[T]:
    tests: dict[str, list[Callable[[T], bool]]] = {}
    for text in filters:
        key, equals, value = text.partition("=")
        if not equals:
            raise UsageError(f"--filter {text!r} has no '='.", _HINT)
        tests.setdefault(key.strip(), []).append(make_test(key.strip(), value.strip()))
    return [entry for entry in entries if all(any(test(entry) for test in some) for some in tests.values())]


def _test(key: str, value: str, containers: Sequence[Container]) -> Test:
    if key == "status":
        return _by_status(value)
    if key == "ancestor":
        return lambda container: container.record.image == value.removesuffix(":latest")
    if key == "id":
        return lambda container: container.id == value
    if key == "name":
        return _by_name(value)
    if key == "exited":
        return _by_code(value)
    if key in ("before", "since"):
        return _by_age(key, value, containers)
    why = "mdock's containers have none" if key in _NOWHERE else "there is no such key"
    raise UsageError(f"--filter {key}: {why}. The keys are {', '.join(KEYS)}.", _HINT)


def _by_status(value: str) -> Test:
    """Filter by the word that ps shows; ``exited (orphaned)`` is both exited and orphaned."""
    if value not in STATES:
        raise UsageError(f"--filter status={value}: there is no such status.", f"There are: {', '.join(STATES)}.")
    return lambda container: value in re.findall(r"\w+", container.state)


def _by_name(value: str) -> Test:
    """Filter as docker: by a part of the name, or a regular expression."""
    try:
        pattern = re.compile(value)
    except (re.error, RecursionError, OverflowError):
        raise UsageError(f"--filter name={value} is no regular expression.", "Write a part of the name.") from None
    return lambda container: pattern.search(container.id) is not None


def _by_code(value: str) -> Test:
    if not re.fullmatch(r"[0-9]{1,3}", value):
        raise UsageError(f"--filter exited={value}: an exit code is a number from 0 to 255.", "--filter exited=137")
    return lambda container: not container.alive and container.record.exit_code == int(value)


def _by_age(key: str, value: str, containers: Sequence[Container]) -> Test:
    if all(container.id != value for container in containers):
        raise NotFound(f"--filter {key}={value}: there is no container {value}.", "List containers with: mdock ps")
    pivot = int(value[1:])
    return lambda container: int(container.id[1:]) < pivot if key == "before" else int(container.id[1:]) > pivot
