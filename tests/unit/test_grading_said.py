"""What a learner's function returned or raised: told in the sandbox, heard outside, worded for a report."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from udock_lab.grading import ExitInfo, Submission
from udock_lab.grading.evidence import Said, heard, raised_where, worded
from udock_lab.grading.inside import said
from udock_lab.model import ExitStatus, OutputChunk, SandboxResult


def repr_or_long(value: object) -> str:
    """A name for a case; Python does not write a number of so many digits."""
    return "long" if isinstance(value, int) else type(value).__name__


def hear(value: object) -> Said:
    found = heard(said(lambda: value))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (ExitInfo(code=4), (4, None, None)),
        (ExitInfo(signal=signal.SIGKILL), (None, 9, None)),
        (True, True),
        (42.0, 42.0),
        ("42", "42"),
        ({"a": [(1, b"\xff")]}, {"a": [(1, b"\xff")]}),
    ],
)
def test_plain_data_arrives_as_it_was(value: object, plain: object) -> None:
    told = hear(value)
    assert (told.is_plain, repr(told.plain)) == (True, repr(plain))
    assert (told.kind, worded(told, "launch")) == (type(value).__name__, f"launch returned {value!r}")


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), object(), 1 << 20_000, [set()], {(): print}], ids=repr_or_long
)
def test_what_no_literal_writes_is_not_plain(value: object) -> None:
    assert not hear(value).is_plain


def test_a_class_is_known_by_those_it_derives_from() -> None:
    class Mine(ExitInfo):
        """One more."""

    told = hear(Mine(1, None, None))
    assert (told.kind, told.is_a("ExitInfo"), told.plain) == ("Mine", True, (1, None, None))


def test_a_long_value_shows_whole_parts_and_says_how_many_more() -> None:
    assert hear(list(range(1000))).shown.endswith("more")
    assert ", 100 and" not in hear([[0, 0, 0]] * 1000).shown
    assert hear("a" * 5000).shown == f"{'a' * 200!r} and 4,800 more"


def test_a_value_that_cannot_be_written_is_told_all_the_same() -> None:
    class Odd:
        def __repr__(self) -> str:
            raise ValueError

    assert hear(Odd()).shown == "Odd (writing it raised ValueError)"


def test_an_error_has_the_number_and_the_text_of_the_learners_innermost_line() -> None:
    def helper() -> None:
        Path("/no/such").rmdir()

    def launch() -> None:
        helper()

    told = heard(said(launch))
    assert told is not None
    assert (told.returned, told.kind, told.errno, told.code) == (
        False,
        "FileNotFoundError",
        2,
        'Path("/no/such").rmdir()',
    )
    assert told.is_a("OSError")
    assert worded(told, "launch").startswith("launch raised FileNotFoundError: [Errno 2] No such file")
    assert worded(told, "launch").endswith(f"(your line {told.line}: {told.code})")


def test_leaving_python_is_an_error_too() -> None:
    told = heard(said(exit, 127))
    assert told is not None
    assert (told.kind, told.shown, told.line) == ("SystemExit", "127", 0)


def test_lines_are_those_of_the_submitted_source() -> None:
    source = (
        "import os\n\ndef launch(argv):\n    return decode(os.getpid())\n\ndef decode(n):\n    return n.code  # here\n"
    )
    told = heard(Submission(source=source).play(said_of_launch, ("launch",), trace=False, watch=False).value)
    assert told is not None
    assert (told.kind, told.line, told.code) == ("AttributeError", 7, "return n.code  # here")


def said_of_launch(launch: object) -> dict[str, object]:
    """A scene."""
    return said(launch, ["/bin/true"])  # type: ignore[arg-type]


@pytest.mark.parametrize("forged", [None, 3, "words", [], {"how": "won"}, {"how": []}])
def test_what_a_forger_sends_is_nothing(forged: object) -> None:
    assert heard(forged) is None


def test_an_error_outside_every_function_is_told_with_the_learners_own_line() -> None:
    stderr = (
        'Traceback (most recent call last):\n  File "<sandbox>", line 5, in <module>\n    __load(__solution)\n'
        '  File "/home/me/udock_lab/grading/inside.py", line 82, in load\n    exec(code, namespace)\n'
        "  File \"<your solution>\", line 2, in <module>\n    x = y\n        ^\nNameError: name 'y' is not defined\n"
    )
    output = (OutputChunk(pid=1, role="parent", stream="stderr", text=stderr),)
    result = SandboxResult(processes=(), output=output, exit_status=ExitStatus(raw=256))
    assert raised_where(result) == "NameError: name 'y' is not defined (your line 2: x = y)"
