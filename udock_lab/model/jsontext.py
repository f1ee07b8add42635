r"""Plain data as JSON text: ASCII alone, whatever it holds.

Bytes go as ``{"is": "bytes", "latin1": ...}``, one character for each byte. What a file name holds beside UTF-8 is in
Python's text as lone surrogates (os.fsdecode, PEP 383); as ``\udcff`` they pass unharmed.
"""

from __future__ import annotations

import json

from udock_lab.model.plain import MalformedError, bytes_in_text

__all__ = ["from_json", "to_json"]

_compact = json.JSONEncoder(separators=(",", ":"), default=bytes_in_text).encode  # json.dumps makes one each time
_indented = json.JSONEncoder(indent=1, default=bytes_in_text).encode
_decode = json.JSONDecoder().decode


def to_json(data: object, *, indented: bool = False) -> bytes:
    """Write JSON on one line, or indented for people."""
    return (_indented if indented else _compact)(data).encode("ascii")


def from_json(text: bytes) -> object:
    """Return the data of :func:`to_json`; MalformedError for what is no JSON, no UTF-8, or nested too deeply."""
    try:
        return _decode(text.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise MalformedError(f"this is no JSON: {error}") from None
