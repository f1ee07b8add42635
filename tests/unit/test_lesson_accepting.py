"""Exit tickets take what is right, however it is spelled, and never another value or another unit."""

from __future__ import annotations

import errno
import signal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from udock_lab.lesson.accepting import accepts
from udock_lab.lesson.numerals import as_number

HOW_MANY_GB = "How many GB may they take together, by this limit?"
HOW_LONG = "How long does the service's read wait?"
SIGNALS = [one for one in signal.Signals if not one.name.startswith("SIGRT")]
ONES = [
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
]
TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
WORDS = ["buffer", "anna", "lock", "fstat", "EXDEV", "/data/plan.txt", "power cut", "SIGTERM", "134", "an hour", "yes"]


def in_words(number: int) -> str:
    """The number as it is read aloud; below one million."""
    if number >= 1000:
        rest = f" {in_words(number % 1000)}" if number % 1000 else ""
        return f"{in_words(number // 1000)} thousand{rest}"
    if number >= 100:
        rest = f" and {in_words(number % 100)}" if number % 100 else ""
        return f"{ONES[number // 100]} hundred{rest}"
    if number >= 20:
        return TENS[number // 10 - 2] + (f"-{ONES[number % 10]}" if number % 10 else "")
    return ONES[number]


@st.composite
def dressed(draw: st.DrawFn, text: str) -> str:
    """The text as somebody may type it: other case, blanks, quotes, a full stop."""
    text = draw(st.sampled_from([text, text.upper(), text.lower(), text.title()]))
    quote = draw(st.sampled_from(["", "'", '"', "`", "\u201c"]))
    text = quote + text + {"\u201c": "\u201d"}.get(quote, quote)
    text += draw(st.sampled_from(["", ".", "!", " ."]))
    return draw(st.sampled_from(["{}", " {}", "{}  ", "\t{}\n", "\u00a0{}"])).format(text)


@given(st.data(), st.sampled_from(WORDS))
def test_case_blanks_quotes_and_a_full_stop_are_no_part_of_an_answer(data: st.DataObject, word: str) -> None:
    assert accepts(word, data.draw(dressed(word)))


@given(st.data(), st.sampled_from(SIGNALS))
def test_a_signal_is_its_name_with_and_without_sig_and_its_number(data: st.DataObject, one: signal.Signals) -> None:
    short, number = one.name.removeprefix("SIG"), int(one)
    forms = [one.name, short, str(number), f"signal {number}", f"SIG {short}", f"{one.name} ({number})", f"the {short}"]
    assert accepts(one.name, data.draw(dressed(data.draw(st.sampled_from([*forms, f"signal.{one.name}"])))))
    assert accepts(one.name, number)
    assert accepts(one.name, one)


@given(st.sampled_from(SIGNALS), st.sampled_from(SIGNALS))
def test_another_signal_is_wrong_in_every_form(one: signal.Signals, other: signal.Signals) -> None:
    assume(int(one) != int(other))
    short = other.name.removeprefix("SIG")
    for form in (other.name, short, int(other), f"{one.name} ({int(other)})", f"{one.name} or {short}", f"not {short}"):
        assert not accepts(one.name, form)
    assert not accepts(one.name, f"not {one.name}")


@given(st.integers(0, 999_999), st.data())
def test_a_number_may_be_written_in_digits_or_in_words(number: int, data: st.DataObject) -> None:
    forms = [str(number), f"{number:,}", f"{number}.0", f"{number:_}", hex(number), in_words(number), f"the {number}"]
    assert accepts(number, data.draw(dressed(data.draw(st.sampled_from(forms)))))
    assert accepts(number, float(number))
    assert as_number(in_words(number).replace("-", " ")) == number


@given(st.integers(0, 999_999), st.integers(0, 999_999))
def test_another_number_is_wrong_in_every_form(number: int, other: int) -> None:
    assume(number != other)
    forms = (other, float(other), str(other), f"{other:,}", in_words(other), f"{number} or {other}", f"-{number + 1}")
    for form in (*forms, f"{number}.5", f"not {number}", f"{number}, {other}"):
        assert not accepts(number, form)
    assert not accepts(number, True)


@given(st.integers(1, 10_000), st.data())
def test_a_size_may_be_given_in_any_unit_that_makes_it_the_same(number: int, data: st.DataObject) -> None:
    forms = [f"{number} GB", f"{number}GB", f"{number} gigabytes", f"{number} G", f"{number * 1000} MB", number]
    form = data.draw(st.sampled_from([*forms, f"{in_words(number)} GB", f"{number / 1000} TB", f"{number:,} gb"]))
    assert accepts(number, form, HOW_MANY_GB)
    assert accepts(f"{number} GB", form, HOW_MANY_GB)


@given(st.integers(1, 10_000), st.sampled_from(["B", "kB", "MB", "TB", "M", "KiB", "GiB", "MiB", "Gbit", "s", "hours"]))
def test_the_right_number_with_a_wrong_unit_is_wrong(number: int, unit: str) -> None:
    for answer in (number, f"{number} GB", f"{number} gigabytes"):
        assert not accepts(answer, f"{number} {unit}", HOW_MANY_GB)
        assert not accepts(answer, f"{number}{unit}", HOW_MANY_GB)
    assert not accepts(number, f"{number} {unit}", "Which exit code is that?")


@given(st.integers(1, 10_000), st.integers(1, 10_000))
def test_the_right_unit_with_a_wrong_number_is_wrong(number: int, other: int) -> None:
    assume(number != other)
    assert not accepts(number, f"{other} GB", HOW_MANY_GB)
    assert not accepts(f"{number} GB", other, HOW_MANY_GB)
    assert not accepts(f"{number} hours", f"{other} hours", HOW_LONG)


@given(st.integers(1, 10_000))
def test_a_number_without_its_unit_counts_only_where_the_question_names_the_unit(hours: int) -> None:
    for form in (f"{hours} h", f"{hours * 60} minutes", f"{hours * 3600} s", f"{in_words(hours)} hours"):
        assert accepts(f"{hours} hours", form, HOW_LONG)
    assert not accepts(f"{hours} hours", hours, HOW_LONG)
    assert accepts(f"{hours} hours", hours, "How many hours does it wait?")


@given(
    st.sampled_from(["buffer", "lock", "power cut", "anna", "child"]), st.sampled_from(["the", "a", "an", "it is the"])
)
def test_an_article_and_a_possessive_change_no_answer(word: str, article: str) -> None:
    assert accepts(word, f"{article} {word}")
    assert accepts(word, f"{word}'s")
    assert accepts(word, f"The {word}\u2019s.")
    for wrong in (f"not the {word}", f"{word}s'", f"{word}x", f"{word} or kernel", "the", ""):
        assert not accepts(word, wrong)


@given(st.text(max_size=40), st.sampled_from([*WORDS, 4, 100, "second"]))
def test_whatever_is_typed_is_judged_without_an_error(text: str, answer: object) -> None:
    assert accepts(answer, text, HOW_MANY_GB) in (True, False)


@pytest.mark.parametrize(
    ("answer", "typed", "question"),
    [
        ("SIGTERM", "by SIGTERM", "Which signal may have ended wget? (its name)"),
        ("second", "the second", ""), ("second", "2nd", ""), ("second", "the second one", ""),
        ("anna", "anna's home", "Whose home does it use for ann?"),
        (134, "exit code 134", "Which exit code is that?"), (134, "code 134", "What code is that?"),
        (2, "two summaries", "How many summaries does the suite print?"),
        ("buffer", "in the buffer", ""), (["lock"], "the lock", ""), ([4, "all"], "all", ""), (["all 4"], "all four", ""),
        ("EXDEV", "errno.EXDEV", ""), ("EXDEV", errno.EXDEV, ""), ("EXDEV", "EXDEV (18)", ""),
        ("EXDEV", "Invalid cross-device link", ""), ("EXDEV", "error EXDEV", "Which error does it get? (its name)"),
        ("CAP_SYS_CHROOT", "sys_chroot", ""), ("fstat", "os.fstat(fd)", ""), ("fstat", "fstat(2)", ""),
        ("yes", True, ""), ("yes", "True", ""), ("1 hour", "an hour", ""), ("1 hour", "1 h", ""),
        ("yes", "yes it did", ""), ("yes", "Yes, it succeeded.", ""), ("no", "no, it did not", ""), (134, "= 134", ""),
        ("power cut", "powercut", ""), ("power cut", "a power-cut", ""),
        ("1 h 30 min", "90 minutes", ""), (100, "a hundred", ""), (1000, "a thousand", ""), (134, "\uff11\uff13\uff14", ""),
    ],
)  # fmt: skip
def test_what_is_right_is_taken(answer: object, typed: object, question: str) -> None:
    assert accepts(answer, typed, question)


@pytest.mark.parametrize(
    ("answer", "typed", "question"),
    [
        ("SIGTERM", "SIGKILL", ""), ("SIGTERM", "terminated", ""), (15, "TERM", ""), (134, "34304", ""),
        ("second", "first", ""), ("second", "2 s", ""), ("second", "both", ""), ("anna", "ann's", ""),
        (134, "exit code 6", "Which exit code is that?"), (134, "134 %", "Which exit code is that?"),
        (2, "two hundred", ""), (2, "two two", ""), (21, "twenty one hundred", ""), (4, "four thousand", ""),
        ("EXDEV", "EXDEV (17)", ""), ("EXDEV", "ENODEV", ""), ("fstat", "lstat(fd)", ""), ("fstat", "os.stat", ""),
        ("yes", "yesterday", ""), ("yes", "yes and no", ""), ("yes", "yes, it didn't", ""), ("no", "no, yes", ""),
        ("power cut", "power on", ""), ("yes", "no", ""), ("yes", 1, ""), ("1 hour", "1 min", ""), ("1 hour", "hour 2", ""), ("1 hour", "1", ""),
        ("/data/plan.txt", "/mnt/old/data/plan.txt", ""), ("/data/plan.txt", "data/plan.txt", ""),
        (1, float("inf"), ""), (1, float("nan"), ""), (1, "1/0", ""), (1, "9" * 5000, ""),
    ],
)  # fmt: skip
def test_what_is_wrong_is_not_taken(answer: object, typed: object, question: str) -> None:
    assert not accepts(answer, typed, question)
