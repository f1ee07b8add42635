"""Who is who: roles are given once, whatever the order in which the news comes."""

from __future__ import annotations

from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from udock_lab.model import SandboxProcess
from udock_lab.sandbox.keeper.process_table import ProcessTable

FLAGS = "child_stack=NULL, flags=CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID|SIGCHLD"


def begun(first: int = 100) -> ProcessTable:
    table = ProcessTable()
    table.begin(first)
    return table


def roles(table: ProcessTable) -> dict[int, str]:
    return {row.pid: row.role for row in table.report(set())}


def raw(row: SandboxProcess) -> int | None:
    return None if row.status is None else row.status.raw


def test_children_are_numbered_in_the_order_of_their_forks_also_when_the_younger_speaks_first() -> None:
    table = begun()
    table.announce(102, 100, siblings=[101, 102])
    table.announce(101, 100, siblings=[101, 102])
    assert roles(table) == {100: "parent", 101: "child 1", 102: "child 2"}


def test_children_that_speak_in_any_order_have_the_numbers_of_their_forks() -> None:
    for order in permutations(range(1, 6)):
        table = begun()
        for number in order:
            table.announce(100 + number, 100, [], number)
        assert [(row.pid, row.role) for row in table.report(set())] == [
            (100, "parent"),
            *((100 + n, f"child {n}") for n in range(1, 6)),
        ]


def test_children_whose_elders_were_collected_before_they_spoke_keep_the_order_of_their_forks() -> None:
    table = begun()
    table.announce(104, 100, [103, 104], 4)
    for late in (101, 103, 102):
        table.announce(late, 100, [], late - 100)
    assert roles(table) == {100: "parent", 101: "child 1", 102: "child 2", 103: "child 3", 104: "child 4"}


def test_child_that_was_collected_before_it_was_heard_does_not_make_the_younger_ones_its_elders() -> None:
    table = begun()
    table.announce(101, 100, [102, 103], 1)
    table.announce(103, 100, [103], 3)
    table.announce(102, 100, [], 2)
    assert roles(table) == {100: "parent", 101: "child 1", 102: "child 2", 103: "child 3"}


def test_words_and_system_calls_of_several_forks_make_one_order() -> None:
    def fork(table: ProcessTable, pid: int) -> None:
        table.hear_call(100, "clone", FLAGS, pid)

    def word(table: ProcessTable, pid: int) -> None:
        table.announce(pid, 100, [], pid - 100)

    news = [(fork, 101), (fork, 102), (word, 101), (word, 102), (word, 103)]
    for order in permutations(news):
        if order.index((fork, 101)) < order.index((fork, 102)):  # strace tells of one process's forks in their order
            table = begun()
            for tell, pid in order:
                tell(table, pid)
            table.hear_call(100, "clone", FLAGS, 103)
            assert roles(table) == {100: "parent", 101: "child 1", 102: "child 2", 103: "child 3"}, order


def test_child_without_a_number_stands_before_those_that_were_forked_after_it() -> None:
    table = begun()
    table.announce(102, 100, [101, 102], 1)  # 101 was made by posix_spawn
    table.hear_call(100, "vfork", "", 103)
    table.announce(105, 100, [101, 102, 103, 104, 105], 3)
    table.announce(104, 100, [101, 102, 103, 104, 105], 2)
    assert list(roles(table)) == [100, 101, 102, 103, 104, 105]
    assert [row.role for row in table.report(set())] == ["parent", *(f"child {n}" for n in range(1, 6))]


def test_forks_that_failed_leave_no_gap() -> None:
    for told_by_strace in (True, False):
        table = begun()
        for pid, number in ((101, 1), (103, 3), (104, 7)):
            table.announce(pid, 100, [pid], number)
            if told_by_strace:
                table.hear_call(100, "clone", FLAGS, pid)
        table.hear_call(100, "clone", FLAGS, 105)
        assert sorted(roles(table).values()) == ["child 1", "child 2", "child 3", "child 4", "parent"]


def test_false_numbers_mix_up_siblings_and_nothing_else() -> None:
    table = begun()
    for number in (10**18, -1, 0, 900, 900, 1):
        table.announce(666, 100, [666], number)
    table.announce(101, 100, [101], 1)
    table.announce(102, 101, [102], 1)
    found = roles(table)
    assert set(found) == {100, 101, 102, 666}
    assert found[100] == "parent"
    assert found[102] == f"{found[101]}.1"
    said = [row.role for row in table.report(set())]
    assert len(set(said)) == len(said)


def test_false_numbers_without_end_take_little_memory() -> None:
    table = begun()
    for number in range(900, 900 * 1_000, 900):
        table.announce(666, 100, [666], number)
    assert table._expected <= 10_000


def test_grandchildren_carry_the_number_of_their_parent() -> None:
    table = begun()
    table.announce(101, 100, [101])
    table.announce(102, 101, [102])
    table.announce(103, 102, [103])
    table.announce(104, 101, [102, 104])
    assert roles(table) == {100: "parent", 101: "child 1", 102: "child 1.1", 103: "child 1.1.1", 104: "child 1.2"}


def test_report_and_system_call_of_one_fork_are_one_process_in_any_order() -> None:
    def report(table: ProcessTable) -> None:
        table.announce(101, 100, [101])

    def call(table: ProcessTable) -> None:
        table.hear_call(100, "clone", FLAGS, 101)

    def end(table: ProcessTable) -> None:
        table.ended(101, 7 << 8)

    for order in permutations([report, call, end]):
        table = begun()
        for news in order:
            news(table)
        rows = table.report(set())
        assert [(row.role, raw(row)) for row in rows] == [("parent", None), ("child 1", 7 << 8)]


def test_program_of_a_refused_execve_is_not_what_the_process_became() -> None:
    def word(table: ProcessTable) -> None:
        table.try_program(100, "/bin/nosuch")

    def refusal(table: ProcessTable) -> None:
        table.hear_refusal(100, '"/bin/nosuch", ["nosuch"], 0x7ffe /* 0 vars */')

    for order in permutations([word, refusal]):
        table = begun()
        for news in order:
            news(table)
        assert [row.program for row in table.report(set())] == [""]


def test_pid_that_the_kernel_gave_again_is_another_process() -> None:
    table = begun()
    for status in (1 << 8, 2 << 8):
        table.announce(101, 100, [101])
        table.hear_call(100, "clone", FLAGS, 101)
        table.ended(101, status)
        table.hear_call(100, "wait4", "101", 101)
    rows = [(row.role, raw(row)) for row in table.report(set())]
    assert sorted(rows[1:]) == [("child 1", 1 << 8), ("child 2", 2 << 8)]


def test_pid_that_came_again_is_told_by_system_calls_alone() -> None:
    table = begun()
    for status in (1 << 8, 2 << 8):
        table.hear_call(100, "vfork", "", 101)
        table.hear_call(101, "execve", '"/bin/sh", ["sh"], 0x7f /* 0 vars */', 0)
        table.ended(101, status)
    rows = [(row.role, raw(row), row.program) for row in table.report(set())]
    assert sorted(rows[1:]) == [("child 1", 256, "/bin/sh"), ("child 2", 512, "/bin/sh")]


def test_parents_killed_inside_fork_do_not_take_each_others_children() -> None:
    table = begun()
    table.announce(101, 100, [101])
    table.hear_call(101, "clone", FLAGS, 102)
    table.hear_call(100, "clone", FLAGS, 102)  # strace reports what it saw last
    assert roles(table) == {100: "parent", 101: "child 1", 102: "child 1.1"}


def test_thread_is_no_process_and_its_child_is_its_process_s_child() -> None:
    table = begun()
    table.hear_call(100, "clone3", "{flags=CLONE_VM|CLONE_THREAD, exit_signal=0}", 105)
    table.hear_call(105, "clone", FLAGS, 106)
    table.ended(105, 0)
    assert roles(table) == {100: "parent", 106: "child 1"}
    assert table.process_of(105) == 100
    assert table.process_of(106) == 106


def test_stranger_is_a_process_until_somebody_says_who_forked_it() -> None:
    table = begun()
    table.meet(105)
    table.meet(106, 105)
    assert roles(table)[105] == "process 105"
    assert roles(table)[106] == "process 106"
    table.hear_call(100, "clone", FLAGS, 105)
    assert roles(table) == {100: "parent", 105: "child 1", 106: "child 1.1"}


def test_role_once_given_stays() -> None:
    table = begun()
    table.meet(105)
    table.announce(106, 100, [106])
    table.hear_call(100, "clone", FLAGS, 105)
    assert roles(table) == {100: "parent", 106: "child 1", 105: "child 2"}


def test_who_inherits_an_orphan_is_not_who_forked_it() -> None:
    table = begun()
    table.announce(101, 100, [101])
    table.announce(102, 101, [102])
    table.meet(102, 55)
    assert [row.parent for row in table.report(set())] == [0, 100, 101]


def test_program_is_the_one_that_execve_succeeded_with() -> None:
    table = begun()
    table.hear_call(100, "execve", '"/bin/echo", ["echo"], 0x7f /* 3 vars */', 0)
    assert table.report(set())[0].program == "/bin/echo"


def test_program_that_was_tried_counts_unless_the_process_speaks_again() -> None:
    table = begun()
    table.try_program(100, "/bin/nosuch")
    table.spoke(100)
    assert table.report(set())[0].program == ""
    table.try_program(100, "/bin/sh")
    assert table.report(set())[0].program == "/bin/sh"


def test_who_was_waited_for_is_known() -> None:
    table = begun()
    table.hear_call(100, "clone", FLAGS, 101)
    table.hear_call(100, "wait4", "-1", 101)
    assert table.collected == {101}


def test_leftovers_are_marked() -> None:
    table = begun()
    table.announce(101, 100, [101])
    assert [row.leftover for row in table.report({101})] == [False, True]


def test_a_chain_of_a_thousand_generations_has_a_role_each() -> None:
    table = begun()
    for pid in range(101, 1101):
        table.announce(pid, pid - 1, [pid])
    assert roles(table)[1100].count(".") == 999


_PID = st.integers(min_value=100, max_value=106)
_NEWS = st.one_of(
    st.tuples(st.just("meet"), _PID, _PID),
    st.tuples(st.just("announce"), _PID, _PID),
    st.tuples(st.just("number"), _PID, st.integers(min_value=-1, max_value=6)),
    st.tuples(st.just("clone"), _PID, _PID),
    st.tuples(st.just("ended"), _PID, _PID),
)


@given(st.lists(_NEWS, max_size=40))
def test_contradictions_never_raise_and_every_process_has_one_role(news: list[tuple[str, int, int]]) -> None:
    table = begun()
    for kind, pid, other in news:
        if kind == "meet":
            table.meet(pid, other)
        elif kind == "announce":
            table.announce(pid, other, [other, pid])
        elif kind == "number":
            table.announce(pid, 100, [pid], other)
            table.role_of(pid)
        elif kind == "clone":
            table.hear_call(pid, "clone", FLAGS, other)
        else:
            table.ended(pid, other)
    rows = table.report(set())
    assert rows[0].role == "parent"
    assert all(row.role for row in rows)
    known = [row.role for row in rows if not row.role.startswith("process")]
    assert len(known) == len(set(known))


def test_rows_of_siblings_stand_in_the_order_of_their_forks_whoever_was_seen_first() -> None:
    table = begun()
    table.meet(102, 100)  # /proc showed it before anybody spoke
    table.meet(103, 102)
    table.announce(101, 100, [101, 102], 1)
    table.announce(102, 100, [102], 2)
    assert [(row.pid, row.role) for row in table.report(set())] == [
        (100, "parent"),
        (101, "child 1"),
        (102, "child 2"),
        (103, "child 2.1"),
    ]
