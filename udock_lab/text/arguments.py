"""What people hand to mdock's Python functions, as what mdock works with: words, variables, paths, numbers.

Each function takes the argument's name and its value. It accepts what is meant (a path, a number as a word, a
signal by its name) and refuses the rest: UsageError says which argument it is, what was given and what to write.
Values that are plain already need none of this, so this file is imported where one is not.
"""

from __future__ import annotations

import fcntl
import io
import itertools
import math
import operator
import os
import re
import reprlib
import signal as signals
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from numbers import Complex, Number, Real
from typing import Any, NoReturn

from udock_lab.errors import MdockError, UsageError

__all__ = [
    "callback",
    "path",
    "refuse",
    "seconds",
    "shown",
    "signal_named",
    "signal_number",
    "size",
    "standard_input",
    "switch",
    "text",
    "variables",
    "whole_number",
    "words",
]

LARGEST = 2**63 - 1  # RLIM_INFINITY is 2**64 - 1; the kernel treats larger values as signed
_MOST_WORDS, _MOST_CHARACTERS = 1_000_000, 1 << 26  # more than any kernel takes (execve(2)): an endless iterator
_SHORT = (type(None), bool, int, float, complex, str, bytes, bytearray, list, tuple, dict, set, frozenset, range)


def refuse(name: str, value: object, wanted: str, hint: str = "") -> NoReturn:
    """Raise UsageError: ``name`` must be ``wanted``, and ``value`` is not."""
    raise UsageError(f"{name} must be {wanted}, not {shown(value)}.", hint)


def shown(value: object) -> str:
    """Return the value in a few words, on one line, and without addresses; whatever its ``repr`` does."""
    if isinstance(value, type) or not isinstance(value, _SHORT):
        return f"a value of type {type(value).__name__}"
    try:
        return reprlib.repr(value)
    except ValueError:  # an int of more digits than Python writes
        return f"a value of type {type(value).__name__}"


# -- text ----------------------------------------------------------------------------------------------


def words(name: str, value: object) -> tuple[str, ...]:
    """Return the words of a command line, from any iterable of words; not from one string, a set or a mapping."""
    example = 'For instance ["/bin/echo", "hello"].'
    if isinstance(value, str | bytes | bytearray | memoryview):
        split = f"Write {value.split()!r}." if isinstance(value, str) and len(value) < 200 else example
        raise UsageError(f"{name} is given as a list of words, not as one string: {shown(value)}.", split)
    if isinstance(value, Mapping | AbstractSet):
        refuse(name, value, "a list of words, in their order", example)
    return tuple(_word(f"{name}[{place}]", word) for place, word in enumerate(_items(name, value, example)))


def _items(name: str, value: object, example: str) -> Iterator[Any]:
    """Yield what an iterable gives; raise UsageError where it is none, fails on the way, or has no end."""
    try:
        items = iter(value)  # type: ignore[call-overload]
    except Exception:  # nothing to go through, or foreign code's __iter__
        refuse(name, value, "a list", example)
    characters = 0
    for count in itertools.count():
        try:
            item = next(items)
        except StopIteration:
            return
        except MdockError:
            raise
        except Exception as error:
            raise UsageError(f"{name} could not be read to its end: {type(error).__name__}.", example) from error
        characters += len(item) if isinstance(item, str | bytes) else 1
        if count >= _MOST_WORDS or characters > _MOST_CHARACTERS:
            raise UsageError(f"{name} holds more than any program can be given.", "Does it end at all?")
        yield item


def _word(name: str, value: object) -> str:
    """Return one word of a program, from text, bytes, a path, or a number."""
    if isinstance(value, bool) or value is None:
        refuse(name, value, "a word", f'Which text is meant? For instance "{str(bool(value)).lower()}" or "".')
    text = _text(value)
    if text is None and isinstance(value, Number) and (isinstance(value, Real) or not isinstance(value, Complex)):
        text = _digits(value)
    if text is None:
        refuse(name, value, "a word: text, bytes, a path or a number", "Write it as text.")
    return text


def _text(value: object) -> str | None:
    """Return text, from text, bytes (os.fsdecode) or a path; None for anything else."""
    if isinstance(value, os.PathLike):
        try:
            value = os.fspath(value)
        except Exception:  # whatever foreign code's __fspath__ raises, it gave no path
            return None
    if isinstance(value, str):
        return str.__str__(value)  # of a subclass, too, the text itself
    return None if (data := _bytes(value)) is None else os.fsdecode(data)


def _bytes(value: object) -> bytes | None:
    try:
        return bytes(value) if isinstance(value, bytes | bytearray | memoryview) else None
    except ValueError:  # a memoryview that was released
        return None


def _digits(value: object) -> str | None:
    try:
        if isinstance(value, int):
            return int.__repr__(value)  # of an enum's member, too, the number
        return float.__repr__(value) if isinstance(value, float) else str(value)
    except Exception:  # more digits than Python writes, or a number that is foreign code's
        return None


def variables(name: str, value: object) -> tuple[tuple[str, str], ...]:
    """Return the variables of an environment, from a mapping, from pairs, or from texts like ``A=b``."""
    example = 'For instance {"GREETING": "hello"}.'
    if value is None:
        return ()
    if isinstance(value, str | bytes | bytearray | memoryview | AbstractSet):
        refuse(name, value, "a mapping of names to values", example)
    if isinstance(value, Mapping):
        try:
            value = value.items()
        except Exception as error:
            raise UsageError(f"{name} could not be read: {type(error).__name__}.", example) from error
    return tuple(_variable(name, item, example) for item in _items(name, value, example))


def _variable(name: str, item: object, example: str) -> tuple[str, str]:
    if isinstance(item, str) and "=" in item:
        key, _, text = str.__str__(item).partition("=")
        return key, text
    if not isinstance(item, tuple | list) or len(item) != 2:
        refuse(name, item, "a mapping of names to values", example)
    key_text = None if isinstance(item[0], os.PathLike) else _text(item[0])
    if key_text is None:
        refuse(f"A name in {name}", item[0], "text", example)
    return key_text, _word(f"{name}[{reprlib.repr(key_text)}]", item[1])


def text(argument: str, value: object, what: str, example: str) -> str:
    """Return the name of an image or a container: text."""
    if not isinstance(value, str):
        refuse(argument, value, what, f'For instance "{example}".')
    return str.__str__(value)


def path(name: str, value: object) -> str:
    """Return a path that a system call can take."""
    text = _text(value)
    if text is None:
        refuse(name, value, "a path: text or pathlib.Path", f'For instance {name}="./folder".')
    if "\0" in text:
        refuse(name, value, "a path, which cannot hold a NUL character")
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        refuse(name, value, "a path, and half of a character has no bytes", "Write the whole character.")
    return text


# -- numbers -------------------------------------------------------------------------------------------


def whole_number(name: str, value: object, what: str, example: str, *, smallest: int = 1, most: int = LARGEST) -> int:
    """Return a whole number from ``smallest`` on: of any type that stands for one, but no truth value."""
    number: int | None = None
    if isinstance(value, float):
        number = int(value) if value.is_integer() else None
    elif not isinstance(value, bool):
        try:
            number = operator.index(value)  # type: ignore[arg-type]
        except Exception:  # no number, whatever its __index__ raises
            number = None
    if number is None or not smallest <= number <= most:
        refuse(name, value, f"{what}: a whole number from {smallest} on", f"For instance {example}.")
    return number


_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
_SIZE = re.compile(r"([0-9]{1,19})(?:([kmgt]?)(?:i?b)?)", re.IGNORECASE)


def size(text: str) -> int:
    """Return bytes from ``64M``, ``64MiB``, ``65536K`` or ``67108864``; units are powers of 1024."""
    match = _SIZE.fullmatch(text.strip())
    value = int(match[1]) * _UNITS[match[2].lower()] if match else 0
    if not 0 < value <= LARGEST:
        raise UsageError(f"{text!r} is not a size.", "Write a number and a unit, for instance 64M, 512K or 1G.")
    return value


def seconds(name: str, value: object) -> float:
    """Return seconds to wait, 0 or more; None and infinity mean for ever."""
    if value is None:
        return math.inf
    number = math.nan
    if isinstance(value, Real) and not isinstance(value, bool):
        try:
            number = float(value)
        except OverflowError:
            number = math.inf if value > 0 else -1  # type: ignore[operator]
        except Exception:  # a number that is foreign code's
            number = math.nan
    if not number >= 0:  # NaN is neither
        refuse(name, value, "a number of seconds, 0 or more", f"For instance {name}=5 or {name}=0.5.")
    return number


def switch(name: str, value: object) -> bool:
    """Return True or False (also from 1 or 0); raise UsageError for others, since "no" and "false" would be true."""
    if not isinstance(value, int) or value not in (0, 1):
        refuse(name, value, "True or False")
    return bool(value)


# -- signals, files, functions -------------------------------------------------------------------------


def signal_number(name: str, value: object) -> int:
    """Return the signal's number, from a number, a name or a member of :class:`signal.Signals`."""
    number = signal_named(value) if isinstance(value, str) else None
    if number is None and not isinstance(value, bool | str | float):
        try:
            number = operator.index(value)  # type: ignore[arg-type]
        except Exception:  # no number, whatever its __index__ raises
            number = None
    if number not in signals.valid_signals():
        refuse(name, value, "a signal", 'For instance signal.SIGTERM, "TERM" or 15.')
    return int(number)


def signal_named(text: str) -> int | None:
    """Return the number of a signal, or None.

    ``SIGTERM``, ``TERM``, ``term`` and ``15`` are one signal; so are ``RTMIN+3`` and 37 (signal(7)).
    """
    word = text.strip().upper()
    name = word if word.startswith("SIG") else f"SIG{word}"
    if re.fullmatch(r"[0-9]{1,3}", word):
        number = int(word)
    else:
        number = _real_time(name) or int(signals.Signals.__members__.get(name, 0))
    return number if number in signals.valid_signals() else None


def _real_time(name: str) -> int | None:
    match = re.fullmatch(r"(SIGRTMIN\+|SIGRTMAX-)([0-9]{1,2})", name)
    if match is None:
        return None
    number = signals.SIGRTMIN + int(match[2]) if match[1] == "SIGRTMIN+" else signals.SIGRTMAX - int(match[2])
    return number if signals.SIGRTMIN <= number <= signals.SIGRTMAX else None


def standard_input(value: object) -> int | bytes | None:
    """Return a descriptor that is open for reading, the bytes to read, or None for /dev/null.

    Accepted: a descriptor, a file or socket (by its ``fileno``), text, bytes, io.StringIO and io.BytesIO (what is
    still to be read of them), and subprocess.DEVNULL.
    """
    if value is None or (type(value) is int and value == -3):  # subprocess.DEVNULL
        return None
    if isinstance(value, str):
        try:
            return str.__str__(value).encode("utf-8", "surrogateescape")
        except UnicodeEncodeError:
            refuse("stdin", value, "text of whole characters", "Write the whole character, or give bytes.")
    if (data := _bytes(value)) is not None:
        return data
    if isinstance(value, io.StringIO | io.BytesIO) and not value.closed:
        return standard_input(value.read())
    return _readable(value)


def _readable(value: object) -> int:
    wanted, hint = "an open file, its descriptor, text or bytes", 'For instance stdin=open("input.txt").'
    number = value
    try:
        if not isinstance(value, int):
            number = value.fileno()  # type: ignore[attr-defined]
        if isinstance(number, bool):
            refuse("stdin", value, wanted, hint)
        fd = operator.index(number)  # type: ignore[arg-type]
        mode = fcntl.fcntl(fd, fcntl.F_GETFL)
    except MdockError:
        raise
    except Exception:  # closed, no file at all, or foreign code's fileno
        refuse("stdin", value, wanted, hint)
    if mode & os.O_ACCMODE == os.O_WRONLY or mode & os.O_PATH:
        refuse("stdin", value, "open for reading", hint)
    return fd


def callback(name: str, value: Any) -> Any:
    """Return the function to call, or None."""
    if value is not None and not callable(value):
        refuse(name, value, "a function, or None")
    return value
