"""What a copy could not keep, in sentences: one for each kind of loss, however many entries it met."""

from __future__ import annotations

__all__ = ["Losses"]

_MAX_NOTES = 20


class Losses:
    """What is lost so far."""

    def __init__(self) -> None:
        self.not_owned = 0
        self.setuid: list[str] = []
        self.attributes: dict[str, int] = {}
        self.devices: dict[str, list[str]] = {}
        self._notes: list[str] = []
        self._more = 0

    def note(self, text: str) -> None:
        """Keep a sentence of its own; of very many the first ones."""
        if len(self._notes) < _MAX_NOTES:
            self._notes.append(text)
        else:
            self._more += 1

    def sentences(self) -> tuple[str, ...]:
        """Return what to say of all that was lost."""
        notes = list(self._notes)
        if self._more:
            notes.append(f"... and {self._more} more like these.")
        if self.not_owned:
            notes.append(f"The owner of {_entries(self.not_owned)} is now you: only root may give files away.")
        if self.setuid:
            notes.append(f"Without their owner these lost their setuid or setgid bit: {_some(self.setuid)}.")
        for why, paths in self.devices.items():
            notes.append(f"No device nodes ({_some(sorted(paths))}): {why}.")
        for name, count in self.attributes.items():
            notes.append(f"The extended attribute {name} could not be kept on {_entries(count)}.")
        return tuple(notes)


def _entries(count: int) -> str:
    return "1 entry" if count == 1 else f"{count} entries"


def _some(paths: list[str]) -> str:
    return ", ".join(paths[:3]) + (", ..." if len(paths) > 3 else "")
