"""How long it takes to find the last of many images: ``lesson.time_searches``."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter


def fastest(call: Callable[[], object], times: int = 7) -> float:
    """Return the milliseconds of the quickest of several calls: the one that was disturbed least."""
    return min(once(call) for _ in range(times))


def once(call: Callable[[], object]) -> float:
    """Return the milliseconds of one call."""
    start = perf_counter()
    call()
    return (perf_counter() - start) * 1000


def write_table(path: str, images: int, folder: str) -> None:
    """Write a database of so many images."""
    with open(path, "w") as file:
        file.writelines(f"image-{n}|{folder}|2026-01-01T00:00:00\n" for n in range(images))
