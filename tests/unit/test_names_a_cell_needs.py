"""Which names of a notebook a cell needs: those that it reads, and has not given a value itself before."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from udock_lab.sandbox.names import names_used

NAMES = {"a": 1, "b": 2, "c": 3}
STATEMENTS = (
    "a = 7", "a = b", "a, b = b, 5", "b = c = 0", "a: int = 3", "a: int", "a += 1", "del a\na = 1", "print(a)",
    "b = [a for a in range(3)]", "b = (a := 4)", "[a] = [b]", "if c:\n    a = 9", "for a in range(c):\n    b = a",
    "def a():\n    return b", "def f(b=a):\n    return b + c", "class c:\n    d = a",
    "import os as b", "try:\n    c = a\nfinally:\n    b = 0", "x = lambda: a", "def g():\n    global a\n    a = b",
    "with open('/dev/null') as c:\n    pass", "a = b if c else a", "d = {}\nd['k'] = b",
)  # fmt: skip


@pytest.mark.parametrize(
    ("source", "needed"),
    [
        ("pid, status = os.wait()\nprint(status)", {"os", "print"}),
        ("status = 5\nprint(status)", {"print"}),
        ("print(status)\nstatus = 5", {"print", "status"}),
        ("if x:\n    status = 5\nprint(status)", {"x", "print", "status"}),
        ("def show():\n    return status\nstatus = 5\nshow()", {"status"}),
        ("status += 1", {"status"}),
        ("del status", {"status"}),
        ("def count():\n    global n\n    n += 1\ncount()", {"n"}),
        ("import os\nos.getpid()", set()),
        ("found = [status for status in range(3)]\nprint(status)", {"range", "print", "status"}),
    ],
)
def test_what_the_cell_makes_before_it_reads_it_is_not_needed(source: str, needed: set[str]) -> None:
    assert names_used(source) == needed


@given(st.lists(st.sampled_from(STATEMENTS), max_size=4))
def test_with_the_names_it_needs_code_finds_what_it_finds_with_all(statements: list[str]) -> None:
    source = "\n".join([*statements, "seen = sorted(globals())"])
    used = names_used(source)
    assert missing_name({name: value for name, value in NAMES.items() if name in used}, source) == missing_name(
        dict(NAMES), source
    )


def missing_name(namespace: dict[str, object], source: str) -> str:
    try:
        exec(source, namespace | {"print": lambda *_: None})
    except NameError as error:
        return str(error)
    except Exception as error:
        return type(error).__name__
    return ""
