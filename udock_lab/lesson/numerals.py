"""Numbers as people write them: in digits, in words, as a place in an order, with a unit."""

from __future__ import annotations

import re
from fractions import Fraction
from itertools import count

__all__ = ["as_number", "as_ordinal", "as_quantity", "in_digits", "unit_of"]


def _counted(words: str, first: int, step: int = 1) -> dict[str, int]:
    return {word: number for number, word in zip(count(first, step), words.split(), strict=False)}


ONES = _counted(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen",
    0,
)
TENS = _counted("twenty thirty forty fifty sixty seventy eighty ninety", 20, 10)
ORDINALS = _counted("first second third fourth fifth sixth seventh eighth ninth tenth", 1)
POWERS = {"thousand": 1000, "million": 10**6, "billion": 10**9}
DIGITS = re.compile(
    r"[+-]?(?:\d+(?:_\d+)*|\d{1,3}(?:,\d{3})+)(?:\.\d+)?|[+-]?\d+/\d+|0x[\da-f]+|0o[0-7]+|0b[01]+", re.ASCII
)

Unit = tuple[str, Fraction]  # what it measures, and how many of the smallest unit it is


def _units() -> dict[str, Unit]:
    units: dict[str, Unit] = {"%": ("share", Fraction(1)), "percent": ("share", Fraction(1))}
    prefixes = (("k", "kilo", "ki", "kibi"), ("m", "mega", "mi", "mebi"), ("g", "giga", "gi", "gibi"),
                ("t", "tera", "ti", "tebi"), ("p", "peta", "pi", "pebi"))  # fmt: skip
    for thing, short, long in (("bits", "bit", "bit"), ("bytes", "b", "byte")):
        units |= dict.fromkeys((short, long, f"{long}s"), (thing, Fraction(1)))
        for power, (letter, word, binary, binary_word) in enumerate(prefixes, 1):
            decimal = (f"{letter}{short}", f"{letter}{short}s", f"{word}{long}", f"{word}{long}s")
            units |= dict.fromkeys(decimal, (thing, Fraction(1000**power)))
            binaries = (f"{binary}{short}", f"{binary}{short}s", f"{binary_word}{long}", f"{binary_word}{long}s")
            units |= dict.fromkeys(binaries, (thing, Fraction(1024**power)))
    units |= {letter: units[f"{letter}b"] for letter in "kgt"} | {"gig": units["gb"], "gigs": units["gb"]}
    for seconds, names in (
        (Fraction(1, 10**6), "us μs usec microsecond microseconds"),
        (Fraction(1, 1000), "ms msec millisecond milliseconds"),
        (Fraction(1), "s sec secs second seconds"),
        (Fraction(60), "min mins minute minutes"),
        (Fraction(3600), "h hr hrs hour hours"),
        (Fraction(86400), "d day days"),
    ):
        units |= dict.fromkeys(names.split(), ("seconds", seconds))
    return units


UNITS = _units()


def unit_of(word: str) -> Unit | None:
    """Return what a unit measures, and its size."""
    return UNITS.get(word)


def as_number(text: str) -> Fraction | None:
    """Return the number that a text is, in digits or in words: ``134``, ``0x86``, ``one hundred and thirty-four``."""
    if DIGITS.fullmatch(text):
        bare = text.replace(",", "").replace("_", "")
        return Fraction(int(bare, 0)) if bare[:2] in ("0x", "0o", "0b") else _fraction(bare)
    return _in_words(text.replace("-", " ").split())


def _fraction(text: str) -> Fraction | None:
    try:
        return Fraction(text)
    except ZeroDivisionError:
        return None


def _in_words(words: list[str]) -> Fraction | None:
    """Read a number in words; None for what is none, or is said in no order that a number has."""
    if words[:1] == ["a"] and words[1:2] and words[1] in ("hundred", *POWERS):
        words = ["one", *words[1:]]
    total = part = 0  # all groups of thousands so far, and the one that is being read
    room, largest = 1000, 10**12  # what the next word must be smaller than, in its group and as a group
    before = ""
    for place, word in enumerate(words):
        if word == "and" and before in ("hundred", *POWERS) and place + 1 < len(words):
            pass
        elif word in ONES and ONES[word] < room and (ONES[word] or len(words) == 1):
            part, room = part + ONES[word], 1
        elif word in TENS and room > 99:
            part, room = part + TENS[word], 10
        elif word == "hundred" and before in ONES and 0 < part < 10:
            part, room = part * 100, 100
        elif word in POWERS and part and POWERS[word] < largest:
            total, part, room, largest = total + part * POWERS[word], 0, 1000, POWERS[word]
        else:
            return None
        before = word
    return Fraction(total + part) if words else None


def as_ordinal(text: str) -> int | None:
    """Return the place that a text names: ``second``, ``2nd``, ``second one``."""
    word = text.removesuffix(" one")
    digits = re.fullmatch(r"(\d{1,6})(?:st|nd|rd|th)", word, re.ASCII)
    return int(digits[1]) if digits else ORDINALS.get(word)


def as_quantity(text: str) -> Unit | None:
    """Return what a text measures, and how much: ``100 GB``, ``100gigabytes``, ``an hour``, ``1 h 30 min``."""
    found: list[Unit] = []
    words = re.sub(r"(?<=\d)(?=[a-zμ%])", " ", text).split() if not text.startswith("0x") else text.split()
    number: list[str] = []
    for word in words:
        unit = UNITS.get(word.rstrip("."))
        if unit is None or not number:
            number.append(word)
            continue
        many = Fraction(1) if number in (["a"], ["an"]) else as_number(" ".join(number))
        if many is None:
            return None
        found.append((unit[0], many * unit[1]))
        number = []
    if number in (["and"], []) and found and len({what for what, _ in found}) == 1:
        return found[0][0], sum((size for _, size in found), Fraction(0))
    return None


def in_digits(text: str) -> str:
    """Return a text with each word that is a number in digits: ``all four`` is ``all 4``."""
    numbers = {word: as_number(word) for word in text.split()}
    return " ".join(word if numbers[word] is None else str(numbers[word]) for word in text.split())
