"""Which of the known words somebody may have meant. Loads ``difflib`` when a word is wrong, off every start path."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["nearest"]


def nearest(word: str, known: Iterable[str], nearness: float = 0.6) -> str | None:
    """Return the known word most like ``word``, or None when none is near (``kill`` is not what ``pull`` meant).

    ``nearness``: from 0 to 1, as :func:`difflib.get_close_matches` counts it. Options share their dashes, so they
    need more of it.
    """
    import difflib

    found = difflib.get_close_matches(word, list(known), n=1, cutoff=nearness)
    return found[0] if found else None
