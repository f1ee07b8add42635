"""What is done with ``ends_well`` in the sandbox."""

from collections.abc import Callable


def each(ends_well: Callable[[list[str]], object], *, programs: list[list[str]]) -> list[str]:
    """Return what each program is said to have done, as Python writes it."""
    return [repr(ends_well(argv)) for argv in programs]
