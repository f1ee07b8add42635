"""The words of what comes out of a sandbox. Learner code holds the far end: whatever comes may be junk."""

from __future__ import annotations

from contextlib import suppress

from udock_lab.runtime.messages import decode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["message"]


def message(data: bytes) -> list[Any]:
    """The words of a message; junk counts as a message without words."""
    with suppress(ValueError, RecursionError):  # what JSON and UTF-8 say of junk
        words = decode(data)
        if isinstance(words, list) and words:
            return words
    return [""]
