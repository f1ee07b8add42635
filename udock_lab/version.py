"""Which version this is. ``pyproject.toml`` and whatever else says it read it here."""

__version__ = "0.1.0"
