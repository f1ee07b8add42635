r"""Plain data as JSON text: ASCII alone, whatever it holds.

Bytes go as ``{"is": "bytes", "latin1": ...}``, one character for each byte. What a file name holds beside UTF-8 is in
Python's text as lone surrogates (os.fsdecode, PEP 383); as ``\udcff`` they pass unharmed.

Writing and reading are done by json's C half, with what json.JSONEncoder and json.JSONDecoder would give it: json
itself imports re, which every process that starts here would pay for. A Python without that half, or with another one,
takes json as it is. Tests hold the two against each other.
"""

from __future__ import annotations

from udock_lab.model.plain import MalformedError, bytes_in_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Quote = Callable[[str], str]
    Write = Callable[[object, int], tuple[str, ...]]
    Read = Callable[[str, int], tuple[object, int]]

__all__ = ["from_json", "quoted", "to_json"]


class _AsJsonReads:
    """What a JSONDecoder tells the scanner."""

    strict = True
    object_hook = object_pairs_hook = None
    parse_float, parse_int = float, int
    parse_constant = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}.__getitem__


def _c_half() -> tuple[Quote, Write, Read]:
    from _json import encode_basestring_ascii as quote
    from _json import make_encoder, make_scanner

    write = make_encoder(None, bytes_in_text, quote, None, ":", ",", False, False, True)
    return quote, write, make_scanner(_AsJsonReads)  # type: ignore[arg-type]


def _json_as_it_is() -> tuple[Quote, Write, Read]:
    from json import JSONDecoder, JSONEncoder
    from json.encoder import encode_basestring_ascii as quote

    slowly = JSONEncoder(separators=(",", ":"), default=bytes_in_text, check_circular=False)
    return quote, lambda data, _: (slowly.encode(data),), JSONDecoder().raw_decode


try:
    quoted, _compact, _scan = _c_half()
except (ImportError, TypeError):  # it is no public part of Python
    quoted, _compact, _scan = _json_as_it_is()


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
