r"""JSON that every reader takes, whatever bytes are in names, words and variables (RFC 8259).

JSON text holds characters, and a file's name or a program's word may hold bytes that are none. Such a byte is
spelled ``\xff`` in its string. So that nothing is lost, an object in which that happened gets one more key:
``"not_utf8": {"/spec/argv/1": "66ff"}`` gives those strings' bytes, in hexadecimal digits, by their JSON pointer
(RFC 6901). Infinity and NaN, which JSON has no numbers for, are the words of that name.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping

__all__ = ["spelled", "strict_json"]

_DEEPEST = 200  # levels; more is nobody's record


def strict_json(value: object, indent: int | None = None) -> str:
    """Return the value as JSON, and the bytes of what is no UTF-8 beside it where the value is an object."""
    stray: dict[str, str] = {}
    plain = _plain(value, "", stray)
    if stray and isinstance(plain, dict):
        plain["not_utf8"] = stray
    separators = None if indent else (",", ":")
    return json.dumps(plain, indent=indent, separators=separators, allow_nan=False)


def spelled(text: str) -> str:
    r"""Return the text with stray bytes as ``\xff`` and halves of characters as ``\ud800``."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return "".join(_spelling(character) for character in text)
    return text


def _spelling(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # a byte, as os.fsdecode has it
        return f"\\x{code - 0xDC00:02x}"
    return f"\\u{code:04x}" if 0xD800 <= code <= 0xDFFF else character


def _bytes(text: str) -> bytes:
    return b"".join(
        bytes([ord(c) - 0xDC00]) if "\udc80" <= c <= "\udcff" else c.encode("utf-8", "surrogatepass") for c in text
    )


def _plain(value: object, pointer: str, stray: dict[str, str]) -> object:
    """Copy numbers, texts, lists and objects; whatever else stands there becomes its text."""
    if pointer.count("/") > _DEEPEST:
        return "nested too deeply to be shown"
    if isinstance(value, Mapping):
        fields: dict[str, object] = {}
        for key, inner in value.items():
            name = spelled(str(key))
            while name in fields:
                name += "'"
            place = f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}"
            if name != str(key):
                stray[f"{place}#"] = _bytes(str(key)).hex()  # as a JSON pointer to the name itself
            fields[name] = _plain(inner, place, stray)
        return fields
    if isinstance(value, list | tuple):
        return [_plain(inner, f"{pointer}/{place}", stray) for place, inner in enumerate(value)]
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    text = str.__str__(value) if isinstance(value, str) else str(value)  # of an enum's member, too, its word
    known = spelled(text)
    if known != text:
        stray[pointer] = _bytes(text).hex()
    return known
