r"""Plain data as JSON text: ASCII alone, whatever it holds.

Bytes go as ``{"is": "bytes", "latin1": ...}``, one character for each byte. What a file name holds beside UTF-8 is in
Python's text as lone surrogates (os.fsdecode, PEP 383); as ``\udcff`` they pass unharmed.

Writing and reading are done by json's C half, with what json.JSONEncoder and json.JSONDecoder would give it: json
itself imports re, which every process that starts here would pay for. A test holds the two against each other.
"""

from __future__ import annotations

from udock_lab.model.plain import MalformedError, bytes_in_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    def encode_basestring_ascii(text: str, /) -> str: ...
    def make_encoder(*settings: object) -> Callable[[object, int], tuple[str, ...]]: ...
    def make_scanner(context: object) -> Callable[[str, int], tuple[object, int]]: ...
else:
    from _json import encode_basestring_ascii, make_encoder, make_scanner

__all__ = ["from_json", "to_json"]


class _AsJsonReads:
    """What a JSONDecoder tells the scanner."""

    strict = True
    object_hook = object_pairs_hook = None
    parse_float, parse_int = float, int
    parse_constant = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}.__getitem__


_compact = make_encoder(None, bytes_in_text, encode_basestring_ascii, None, ":", ",", False, False, True)
_scan = make_scanner(_AsJsonReads)


def to_json(data: object, *, indented: bool = False) -> bytes:
    """Write JSON on one line, or indented for people."""
    if indented:
        from json import dumps

        return dumps(data, indent=1, default=bytes_in_text).encode("ascii")
    return "".join(_compact(data, 0)).encode("ascii")


def from_json(text: bytes) -> object:
    """Return the data of :func:`to_json`; MalformedError for what is no JSON, no UTF-8, or nested too deeply."""
    try:
        words = text.decode("utf-8").strip(" \t\n\r")
        data, end = _scan(words, 0)
    except (ValueError, RecursionError) as error:
        raise MalformedError(f"this is no JSON: {error}") from None
    except StopIteration as stopped:
        raise MalformedError(f"this is no JSON: Expecting value: char {stopped.value}") from None
    if end != len(words):
        raise MalformedError(f"this is no JSON: Extra data: char {end}")
    return data
