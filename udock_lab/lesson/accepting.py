"""When an answer that was typed is an answer that is wanted: spelling is free, values and units are not.

``TERM`` is SIGTERM, ``the buffer`` is buffer, ``anna's`` is anna, ``four`` is 4, and where a question asks how many GB,
``100 gigabytes`` and ``0.1 TB`` are 100. ``100 MB`` is not, and neither is ``100 GiB``: units are those of the SI.
"""

from __future__ import annotations

import errno
import os
import re
import signal
import unicodedata
from collections.abc import Callable
from fractions import Fraction

from udock_lab.lesson.numerals import as_number, as_ordinal, as_quantity, in_digits, unit_of

__all__ = ["accepts"]

LONGEST = 200  # characters; nobody means more, and reading numbers of any length takes any time
ARTICLES = ("the", "a", "an")
LEAD_INS = re.compile(r"^(?:(?:it|that|this)(?:'s| is| was| would be)|in|by|for|with) (?=\S)")
ASKED_FOR = re.compile(r"\b(?:how many|how much|which|what|whose) ([a-z]+(?: [a-z]+)?)")
MODULES = re.compile(r"^(?:os|sys|time|errno|fcntl|socket|signal|signals)\.(?=[a-z])")
CALL = re.compile(r"^([a-z_][\w.]*) ?\([^()]*\)$")
YES_OR_NO = {"yes": {"no", "not", "never"}, "no": {"yes"}}  # and what contradicts each
QUOTES = "'\"`"
PLAIN_QUOTES = str.maketrans(
    dict.fromkeys("\u2018\u2019\u201a\u201b\u2032", "'") | dict.fromkeys("\u201c\u201d\u201e\u201f", '"')
)
SIGNALS = {name.casefold(): int(number) for name, number in signal.Signals.__members__.items()}
ERRORS = {name.casefold(): number for number, name in errno.errorcode.items()}
ERRORS |= {name.casefold(): getattr(errno, name) for name in ("EWOULDBLOCK", "EDEADLOCK", "ENOTSUP")}


def accepts(answer: object, given: object, question: str = "") -> bool:
    """Return whether ``given`` says what ``answer`` says.

    ``answer`` is a number or text, a list or set of those that are accepted, or a function that judges. ``question``
    says which unit a bare number has ("How many GB ...?"), and which word may stand beside an answer ("exit code 134").
    """
    if callable(answer):
        check: Callable[[object], object] = answer
        try:
            return bool(check(given))
        except Exception:
            return False  # the function was made for another kind of answer
    if isinstance(answer, (list, tuple, set, frozenset)):
        return any(accepts(one, given, question) for one in answer)
    wanted, said = _plain(answer), _plain(given)
    if wanted == said:
        return True
    if not wanted or not said or len(said) > LONGEST:
        return False
    nouns = _nouns(question)
    return any(_same(wanted, one, nouns) for one in (said, _bare(said, nouns, wanted)) if one)


def _same(wanted: str, said: str, nouns: list[str]) -> bool:
    """Return whether two texts mean the same number, quantity, place in an order, name or words."""
    if _number_of(wanted, SIGNALS, "sig") is not None:
        return _is_named(said, _number_of(wanted, SIGNALS, "sig"), SIGNALS, "sig")
    if wanted in ERRORS:
        return _is_named(said, ERRORS[wanted], ERRORS) or said == os.strerror(ERRORS[wanted]).casefold()
    if _is_quantity(wanted) or _is_quantity(said):
        return _means_quantity(wanted, said, nouns)
    if as_ordinal(wanted) is not None:
        return as_ordinal(wanted) == as_ordinal(_without_articles(said))
    if wanted in YES_OR_NO:
        words = re.findall(r"[a-z]+", said)
        return words[:1] == [wanted] and not YES_OR_NO[wanted] & {*words} and "n't" not in said
    return _words(wanted) == _words(said) or _in_one(wanted) == _in_one(said)


def _in_one(text: str) -> str:
    """Return words as one, where they are letters alone: ``power cut``, ``power-cut`` and ``powercut`` are the same."""
    joined = re.sub(r"[ -]", "", _without_articles(text))
    return joined if joined.isalpha() else text


def _plain(value: object) -> str:
    """Return a value as text: one case, single blanks, no quotes around it and no full stop after it."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        try:
            value = Fraction(repr(float(value))) if isinstance(value, float) else int(value)
        except ValueError:
            value = str(value)  # neither infinity nor what is no number has a fraction
    text = unicodedata.normalize("NFKC", str(value).translate(PLAIN_QUOTES))
    text = " ".join(text.casefold().split()).removeprefix("=").strip()
    while text and (text[-1] in ".!,; " or (len(text) > 1 and text[0] == text[-1] and text[0] in QUOTES)):
        text = text[:-1] if text[-1] in ".!,; " else text[1:-1].strip()
    return "yes" if text in ("true", "y") else "no" if text in ("false", "n") else text


def _nouns(question: str) -> list[str]:
    """Return what is asked for, in both words and in each: ``exit code``, ``exit``, ``code``."""
    found = ASKED_FOR.findall(" ".join(question.translate(PLAIN_QUOTES).casefold().split()))
    return [noun for two in found for noun in dict.fromkeys((two, *two.split()))]


def _bare(said: str, nouns: list[str], wanted: str) -> str:
    """Return the answer without what may be said beside it: ``it is the``, ``signal``, ``exit code``, ``call``."""
    text = LEAD_INS.sub("", said)
    for noun in [noun for noun in nouns if not unit_of(noun) and noun not in wanted]:
        text = re.sub(rf"^(?:the )?{noun}:? (?=\S)|(?<=\S) {noun}$", "", text)
    return text


def _is_quantity(text: str) -> bool:
    return as_number(text) is not None or as_quantity(text) is not None


def _means_quantity(wanted: str, said: str, nouns: list[str]) -> bool:
    """Compare numbers, and numbers with units; a number without one has the unit that the question asks for."""
    asked = next((unit_of(noun) for noun in nouns if unit_of(noun)), None)
    pair = []
    for text in (wanted, said.removeprefix("the ")):
        number, quantity = as_number(text), as_quantity(text)
        if quantity is None and number is not None:
            quantity = (asked[0], number * asked[1]) if asked else ("", number)
        pair.append(quantity)
    return pair[0] is not None and pair[0] == pair[1]


def _number_of(word: str, names: dict[str, int], prefix: str = "") -> int | None:
    """Return the number behind a name that is written out in full: with the prefix."""
    return names.get(word) if word.startswith(prefix) else None


def _is_named(said: str, number: int | None, names: dict[str, int], prefix: str = "") -> bool:
    """Return whether names and numbers in ``said`` all mean that number: ``TERM``, ``15``, ``SIGTERM (15)``."""
    words = [word for word in re.split(r"[\s():,=/-]+", said) if word]
    words = [MODULES.sub("", word) for word in words if word not in (*ARTICLES, "signal", "sig", "error", "errno")]
    meant = [names.get(word, names.get(prefix + word, as_number(word))) for word in words]
    return bool(meant) and all(one == number for one in meant)


def _without_articles(text: str) -> str:
    return " ".join(word for word in text.split() if word not in ARTICLES) or text


def _words(text: str) -> str:
    """Return words to compare: no articles, no possessive, numbers in digits; of a call its name."""
    text = CALL.sub(r"\1", text)
    text = MODULES.sub("", text).removeprefix("cap_")
    return in_digits(" ".join(word.removesuffix("'s") for word in _without_articles(text).split()))
