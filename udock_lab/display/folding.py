"""How much of a run's card is open when it comes: all of it, or only its result, as in the very first lesson."""

from __future__ import annotations

__all__ = ["fold_cards", "opens"]

_folded = False


def fold_cards(*, folded: bool) -> None:
    """Show of each run from now on its result, and the rest folded away behind its titles; or all of it again."""
    global _folded
    _folded = folded


def opens() -> bool:
    """Return whether the parts of a run's card are open when it comes."""
    return not _folded
