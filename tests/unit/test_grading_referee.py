"""A referee's children: they load the answer, say plain data or nothing, and end in time."""

from __future__ import annotations

import os
import signal

import pytest

from udock_lab.grading.referee import Child, in_child, loader, time_is_up


@pytest.mark.forks
def test_an_answer_is_loaded_in_the_child_alone() -> None:
    text = "import os\nos.marked = True\ndef ask():\n    return os.getpid()\n"
    load = loader([("<your solution>", text, True)], [], ["ask"])
    child = in_child(lambda: load()[0](), seconds=2)
    assert child.status == 0
    assert child.said not in (None, os.getpid())
    assert not hasattr(os, "marked")


@pytest.mark.forks
def test_a_child_that_never_ends_is_ended_and_known() -> None:
    def for_ever() -> None:
        while True:
            pass

    child = in_child(for_ever, seconds=0.1)
    assert time_is_up(child.status)
    assert child.said is None
    assert not time_is_up(Child(signal.SIGKILL, None).status)


@pytest.mark.forks
def test_a_child_that_says_nonsense_says_nothing() -> None:
    assert in_child(lambda: os._exit(0), seconds=2).said is None
    assert in_child(lambda: "x" * 10_000_000, seconds=2).said is None
