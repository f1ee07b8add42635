"""Who is who: roles are given once, whatever the order in which the news comes."""

from __future__ import annotations

from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from udock_lab.sandbox.census import Census

FLAGS = "child_stack=NULL, flags=CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID|SIGCHLD"


def begun(first: int = 100) -> Census:
    census = Census()
    census.begin(first)
    return census


def roles(census: Census) -> dict[int, str]:
    return {row["pid"]: row["role"] for row in census.report(set())}


def test_children_are_numbered_in_the_order_of_their_forks_also_when_the_younger_speaks_first() -> None:
    census = begun()
    census.announce(102, 100, siblings=[101, 102])
    census.announce(101, 100, siblings=[101, 102])
    assert roles(census) == {100: "parent", 101: "child 1", 102: "child 2"}


def test_grandchildren_carry_the_number_of_their_parent() -> None:
    census = begun()
    census.announce(101, 100, [101])
    census.announce(102, 101, [102])
    census.announce(103, 102, [103])
    census.announce(104, 101, [102, 104])
    assert roles(census) == {100: "parent", 101: "child 1", 102: "child 1.1", 103: "child 1.1.1", 104: "child 1.2"}


def test_report_and_system_call_of_one_fork_are_one_process_in_any_order() -> None:
    def report(census: Census) -> None:
        census.announce(101, 100, [101])

    def call(census: Census) -> None:
        census.hear_call(100, "clone", FLAGS, 101)

    def end(census: Census) -> None:
        census.ended(101, 7 << 8)

    for order in permutations([report, call, end]):
        census = begun()
        for news in order:
            news(census)
        rows = census.report(set())
        assert [(row["role"], row["status"]) for row in rows] == [("parent", None), ("child 1", 7 << 8)]


def test_program_of_a_refused_execve_is_not_what_the_process_became() -> None:
    def word(census: Census) -> None:
        census.try_program(100, "/bin/nosuch")

    def refusal(census: Census) -> None:
        census.hear_refusal(100, '"/bin/nosuch", ["nosuch"], 0x7ffe /* 0 vars */')

    for order in permutations([word, refusal]):
        census = begun()
        for news in order:
            news(census)
        assert [row["program"] for row in census.report(set())] == [""]


def test_pid_that_the_kernel_gave_again_is_another_process() -> None:
    census = begun()
    for status in (1 << 8, 2 << 8):
        census.announce(101, 100, [101])
        census.hear_call(100, "clone", FLAGS, 101)
        census.ended(101, status)
        census.hear_call(100, "wait4", "101", 101)
    rows = [(row["role"], row["status"]) for row in census.report(set())]
    assert sorted(rows[1:]) == [("child 1", 1 << 8), ("child 2", 2 << 8)]


def test_pid_that_came_again_is_told_by_system_calls_alone() -> None:
    census = begun()
    for status in (1 << 8, 2 << 8):
        census.hear_call(100, "vfork", "", 101)
        census.hear_call(101, "execve", '"/bin/sh", ["sh"], 0x7f /* 0 vars */', 0)
        census.ended(101, status)
    rows = [(row["role"], row["status"], row["program"]) for row in census.report(set())]
    assert sorted(rows[1:]) == [("child 1", 256, "/bin/sh"), ("child 2", 512, "/bin/sh")]


def test_parents_killed_inside_fork_do_not_take_each_others_children() -> None:
    census = begun()
    census.announce(101, 100, [101])
    census.hear_call(101, "clone", FLAGS, 102)
    census.hear_call(100, "clone", FLAGS, 102)  # strace reports what it saw last
    assert roles(census) == {100: "parent", 101: "child 1", 102: "child 1.1"}


def test_thread_is_no_process_and_its_child_is_its_process_s_child() -> None:
    census = begun()
    census.hear_call(100, "clone3", "{flags=CLONE_VM|CLONE_THREAD, exit_signal=0}", 105)
    census.hear_call(105, "clone", FLAGS, 106)
    census.ended(105, 0)
    assert roles(census) == {100: "parent", 106: "child 1"}
    assert census.process_of(105) == 100
    assert census.process_of(106) == 106


def test_stranger_is_a_process_until_somebody_says_who_forked_it() -> None:
    census = begun()
    census.meet(105)
    census.meet(106, 105)
    assert roles(census)[105] == "process 105"
    assert roles(census)[106] == "process 106"
    census.hear_call(100, "clone", FLAGS, 105)
    assert roles(census) == {100: "parent", 105: "child 1", 106: "child 1.1"}


def test_role_once_given_stays() -> None:
    census = begun()
    census.meet(105)
    census.announce(106, 100, [106])
    census.hear_call(100, "clone", FLAGS, 105)
    assert roles(census) == {100: "parent", 106: "child 1", 105: "child 2"}


def test_who_inherits_an_orphan_is_not_who_forked_it() -> None:
    census = begun()
    census.announce(101, 100, [101])
    census.announce(102, 101, [102])
    census.meet(102, 55)
    assert [row["parent"] for row in census.report(set())] == [0, 100, 101]


def test_program_is_the_one_that_execve_succeeded_with() -> None:
    census = begun()
    census.hear_call(100, "execve", '"/bin/echo", ["echo"], 0x7f /* 3 vars */', 0)
    assert census.report(set())[0]["program"] == "/bin/echo"


def test_program_that_was_tried_counts_unless_the_process_speaks_again() -> None:
    census = begun()
    census.try_program(100, "/bin/nosuch")
    census.spoke(100)
    assert census.report(set())[0]["program"] == ""
    census.try_program(100, "/bin/sh")
    assert census.report(set())[0]["program"] == "/bin/sh"


def test_who_was_waited_for_is_known() -> None:
    census = begun()
    census.hear_call(100, "clone", FLAGS, 101)
    census.hear_call(100, "wait4", "-1", 101)
    assert census.collected == {101}


def test_leftovers_are_marked() -> None:
    census = begun()
    census.announce(101, 100, [101])
    assert [row["leftover"] for row in census.report({101})] == [False, True]


def test_a_chain_of_a_thousand_generations_has_a_role_each() -> None:
    census = begun()
    for pid in range(101, 1101):
        census.announce(pid, pid - 1, [pid])
    assert roles(census)[1100].count(".") == 999


_PID = st.integers(min_value=100, max_value=106)
_NEWS = st.one_of(
    st.tuples(st.just("meet"), _PID, _PID),
    st.tuples(st.just("announce"), _PID, _PID),
    st.tuples(st.just("clone"), _PID, _PID),
    st.tuples(st.just("ended"), _PID, _PID),
)


@given(st.lists(_NEWS, max_size=40))
def test_contradictions_never_raise_and_every_process_has_one_role(news: list[tuple[str, int, int]]) -> None:
    census = begun()
    for kind, pid, other in news:
        if kind == "meet":
            census.meet(pid, other)
        elif kind == "announce":
            census.announce(pid, other, [other, pid])
        elif kind == "clone":
            census.hear_call(pid, "clone", FLAGS, other)
        else:
            census.ended(pid, other)
    rows = census.report(set())
    assert rows[0]["role"] == "parent"
    assert all(row["role"] for row in rows)
    known = [row["role"] for row in rows if not row["role"].startswith("process")]
    assert len(known) == len(set(known))
