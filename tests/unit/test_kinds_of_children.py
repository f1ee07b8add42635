"""Children that wait at their start gates: at most one of a kind, and only of kinds that somebody asked for."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from udock_lab.isolation.sequence import make_steps
from udock_lab.isolation.trial import refusal
from udock_lab.isolation.wanted import Wanted
from udock_lab.linux.process import children
from udock_lab.runtime.child.forker import LocalForker
from udock_lab.runtime.child.kinds import KINDS, PLAIN, kind_for
from udock_lab.runtime.supervisor.children import Children

pytestmark = pytest.mark.forks
FIRST, APART = KINDS["first of its pids"], KINDS["apart"]
PLAN = [["new_mounts"], ["new_pids"], ["new_ipcs"], ["new_uts"], ["first_process"], ["chdir", "/"]]


@pytest.fixture
def forked_inside() -> None:
    """Skip where the forker may not fork into a new pid namespace: without a user namespace that takes privilege."""
    if why := refusal(Wanted(namespaces=("new_pids",), is_first=True)):
        pytest.skip(f"needs privilege: {why}")


@pytest.fixture
def waiting() -> Iterator[Children]:
    before = children(os.getpid())
    made = Children(LocalForker(), prefork=True)
    yield made
    made.close()
    assert children(os.getpid()) == before


def test_a_plan_gets_the_kind_that_has_made_most_of_its_steps() -> None:
    assert kind_for([["subreaper"], ["chdir", "/"]]) is PLAIN
    assert kind_for([["new_pids"], ["first_process"]]) is FIRST
    assert kind_for(PLAN) is APART
    assert kind_for([["new_mounts"], ["new_uts"]]) is PLAIN, "a kind that has made more than that would be wrong"


@pytest.mark.parametrize("first", [["userns"], ["join_userns", 7]])
def test_what_is_to_come_before_all_namespaces_takes_a_plain_child(first: list[object]) -> None:
    assert kind_for([first, *PLAN]) is PLAIN


def test_the_steps_of_a_kind_have_no_fields_since_they_are_made_before_there_is_a_plan() -> None:
    for kind in KINDS.values():
        steps = make_steps([[name] for name in (*kind.forked, *kind.ahead)])
        assert [step.words() for step in steps] == [[name] for name in (*kind.forked, *kind.ahead)]


def test_only_a_plain_child_is_forked_ahead_until_another_kind_was_asked_for(waiting: Children) -> None:
    before = len(children(os.getpid()))
    for _ in range(2):
        waiting.prepare()
        assert len(children(os.getpid())) == before + 1
    child = waiting.take(fresh=False)
    assert child.kind is PLAIN
    waiting.give_back(child)


def test_of_a_kind_that_was_asked_for_one_waits_in_its_namespaces(forked_inside: None, waiting: Children) -> None:
    before = len(children(os.getpid()))
    own = os.readlink("/proc/self/ns/pid")
    waiting.give_back(waiting.take(FIRST, fresh=False))
    for _ in range(2):
        waiting.prepare()
        assert len(children(os.getpid())) == before + 2
    child = waiting.take(FIRST, fresh=False)
    assert child.kind is FIRST
    assert os.readlink(f"/proc/{child.pid}/ns/pid") != own
    with open(f"/proc/{child.pid}/status") as file:
        (line,) = [line for line in file if line.startswith("NSpid:")]
    assert line.split()[1:] == [str(child.pid), "1"]
    assert os.readlink("/proc/self/ns/pid_for_children") == own, "the forker's next child is in its own namespace"
    waiting.give_back(child)


def test_with_the_spare_off_a_child_of_any_kind_is_a_plain_one_forked_now(waiting: Children) -> None:
    child = waiting.take(FIRST, fresh=True)
    assert child.kind is PLAIN
    waiting.give_back(child)


REFUSED = """
import os
from udock_lab.isolation import namespaces  # nobody else may read a checkout that lies in somebody's home
from udock_lab.runtime.child.forker import LocalForker
from udock_lab.runtime.child.kinds import KINDS
from udock_lab.runtime.supervisor.children import Children

if os.geteuid() == 0:
    os.setuid(65534)
waiting = Children(LocalForker(), prefork=True)
child = waiting.take(KINDS["first of its pids"], fresh=False)
print(child.kind.name)
waiting.prepare()
waiting.give_back(child)
waiting.close()
"""


def test_a_kind_that_is_refused_gives_a_plain_child_which_makes_the_steps_and_tells_which_is() -> None:
    done = subprocess.run([sys.executable, "-c", REFUSED], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "plain\n", done.stderr
