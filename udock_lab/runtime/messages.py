"""Messages between a caller and a supervisor: JSON, which strace shows readably.

Not on the path of the processes that fork: json imports re and enum, and every child would copy them.
"""

from __future__ import annotations

import json
from typing import Any

__all__ = ["decode", "encode", "refusal"]

_to_json = json.JSONEncoder(separators=(",", ":")).encode  # json.dumps would make an encoder for every message
_from_json = json.JSONDecoder().decode


def encode(message: object) -> bytes:
    """Return ASCII JSON: surrogate escapes (bytes of a file name that are no UTF-8) survive."""
    return _to_json(message).encode("ascii")


def decode(data: bytes) -> Any:
    """Return the message of :func:`encode`."""
    return _from_json(data.decode("ascii"))


def refusal(error: str, message: str, hint: str) -> dict[str, Any]:
    """Return the message that nothing was started.

    It holds the name of the exception that the caller is to raise, and its words.
    """
    return {"event": "refused", "error": error, "message": message, "hint": hint}
