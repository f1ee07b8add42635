"""What ``mdock inspect`` knows, as JSON."""

from __future__ import annotations

from udock_lab.model import Inspection
from udock_lab.text.strictjson import strict_json

__all__ = ["inspect_text"]


def inspect_text(inspection: Inspection) -> str:
    """Return one object as JSON, strict whatever bytes are in it."""
    return strict_json(inspection.data, indent=2)
