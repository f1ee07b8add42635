"""The timeline: every call is in both forms, what depends on the clock only in the picture."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_display_html import Page, hostile
from test_display_text import EXITED

from udock_lab import display
from udock_lab.display.calls import CALLS
from udock_lab.display.html.lanes import lanes_html
from udock_lab.display.text.timeline import lanes_text
from udock_lab.display.timeline import MOST_CALLS, MOST_LANES, drawn
from udock_lab.linux.strace import STEP_CALLS, TEACHING_CALLS
from udock_lab.model import ExitStatus, SandboxProcess, SandboxResult, SystemCall
from udock_lab.model.value import replace

MS = 1_000_000


def call(pid: int, name: str, arguments: str, result: str, start: int, took: int = 1000, errno: str = "") -> SystemCall:
    return SystemCall(
        pid=pid, name=name, arguments=arguments, result=result, start=start, end=start + took, errno=errno
    )


def two(*calls: SystemCall, child: ExitStatus | None = None, leftover: bool = False) -> SandboxResult:
    """A parent 10 and its child 11, with these calls between fork and the parent's end."""
    processes = (
        SandboxProcess(pid=10, parent=0, role="parent", status=ExitStatus(raw=0)),
        SandboxProcess(pid=11, parent=10, role="child 1", status=child, leftover=leftover),
    )
    around = (call(10, "clone", "flags=SIGCHLD", "11", 0), *calls, call(10, "exit_group", "0", "?", 500 * MS, 0))
    return SandboxResult(processes=processes, calls=around, verdict="so it went.", shows_calls=True)


EXEC = call(11, "execve", '"/bin/sh", ["sh", "-c", "exit 3"], 0x7ffd4a90ada0 /* 39 vars */', "0", 10 * MS)
EXIT = call(11, "exit_group", "3", "?", 20 * MS, 0)
WAIT = call(10, "wait4", "11, [{WIFEXITED(s) && WEXITSTATUS(s) == 3}], 0, NULL", "11", MS, 20 * MS)
LOOKS_BAD = call(11, "chroot", '"/x"', "-1 EPERM (Operation not permitted)", 5 * MS, errno="EPERM")
STORY = two(LOOKS_BAD, EXEC, EXIT, WAIT, child=ExitStatus(raw=3 << 8))


def test_every_call_that_a_trace_may_show_has_its_sentence() -> None:
    assert [name for name in (*TEACHING_CALLS, *STEP_CALLS) if name not in CALLS] == []
    for name, note in CALLS.items():
        assert note.sentence.endswith("."), name
        assert re.fullmatch(r"[a-z_0-9]+\(2\)|", note.page), name
    assert CALLS["clone"].library == "fork"
    assert CALLS["wait4"].library == "waitpid"
    assert CALLS["exit_group"].library == "_exit"


def test_a_trace_reads_like_this() -> None:
    lines = [re.split(r"\s{2,}", line) for line in lanes_text(drawn(STORY)).splitlines()]
    assert lines == [
        ["WHO", "CALL", "RESULT"],
        ["parent", "ok", "fork()", "= child 1", "-> child 1"],
        ["child 1", "FAILED", 'chroot("/x")', "= -1 EPERM (Operation not permitted)"],
        [
            *("child 1", "ok", 'execve("/bin/sh", ["sh", "-c", "exit 3"], environment)', "does not return"),
            "now /bin/sh, same pid",
        ],
        ["child 1", "ok", "_exit(3)", "does not return", "the process ends"],
        [
            *("parent", "ok", "waitpid(child 1, 0)", "= child 1, exit code 3"),
            "<- child 1",
        ],
        ["parent", "ok", "_exit(0)", "does not return", "the process ends"],
    ]


def test_the_text_does_not_depend_on_the_clock_nor_on_who_came_first() -> None:
    late = tuple(replace(c, start=c.start + 3 * MS, end=c.end + 3 * MS) if c.pid == 11 else c for c in STORY.calls)
    assert display.timeline_text(replace(STORY, calls=late)) == display.timeline_text(STORY)


@pytest.mark.parametrize("value", [STORY, EXITED, EXITED.steps])
def test_picture_and_text_hold_the_same_calls_results_and_remarks(value: object) -> None:
    page = Page(display.timeline_html(value)).text  # type: ignore[arg-type]
    timeline = drawn(value)  # type: ignore[arg-type]
    for moment in timeline.moments:
        for words in (moment.result_seen or moment.result, moment.remark, str(CALLS.get(moment.name, ""))):
            assert " ".join(words.split()) in page
        assert moment.name in page
        if moment.other is not None:
            assert timeline.lanes[moment.other].name in page


def test_fork_and_wait_are_arrows_in_opposite_directions() -> None:
    html = display.timeline_html(STORY)
    assert re.search(r'class="arrow right[^"]* fork"', html) or 'class="arrow right fork"' in html
    assert 'class="arrow left wait"' in html
    assert "→ child 1" in Page(html).text
    assert "← child 1" in Page(html).text


def test_a_call_that_waits_while_others_act_begins_and_returns_in_rows_of_its_own() -> None:
    page = Page(display.timeline_html(STORY)).text
    assert page.index("waits …") < page.index("_exit(3)")
    assert page.index("_exit(3)") < page.index("waitpid returns = child 1")


def test_an_exit_never_returns_however_long_the_kernel_takes_for_it() -> None:
    slow = replace(EXIT, end=EXIT.start + 30 * MS)
    page = Page(display.timeline_html(two(slow, WAIT, child=ExitStatus(raw=3 << 8)))).text
    assert page.count("_exit(3) does not return") == 1
    assert "_exit returns" not in page


def test_exec_changes_the_look_of_the_line_and_says_that_the_pid_stays() -> None:
    html = display.timeline_html(STORY)
    assert 'class="life program late"' in html
    assert "now /bin/sh, same pid" in Page(html).text


def test_between_its_end_and_the_wait_a_process_is_drawn_as_a_zombie() -> None:
    html = display.timeline_html(two(EXIT, replace(WAIT, start=40 * MS, end=41 * MS), child=ExitStatus(raw=3 << 8)))
    assert 'class="life zombie' in html
    assert "a zombie" in Page(html).text


def test_a_child_that_a_signal_ended_has_a_block_that_says_so() -> None:
    killed = call(10, "wait4", "11, [{WIFSIGNALED(s) && WTERMSIG(s) == SIGKILL}], 0, NULL", "11", MS, 9 * MS)
    result = two(call(10, "kill", "11, SIGKILL", "0", 500_000), killed, child=ExitStatus(raw=9))
    text = lanes_text(drawn(result))
    assert "kill(child 1, SIGKILL)" in text
    assert text.index("ended by SIGKILL (signal 9)") < text.index("waitpid(")
    assert "■ ended by SIGKILL (signal 9)" in Page(display.timeline_html(result)).text


def test_a_call_that_never_came_back_says_so() -> None:
    result = two(call(11, "flock", "3, LOCK_EX", "?", 10 * MS, 0), leftover=True)
    for form in (lanes_text(drawn(result)), Page(display.timeline_html(result)).text):
        assert "did not come back" in form
        assert "killed when the sandbox ended" in form
    assert 'class="call lost' in display.timeline_html(result)


def test_a_call_that_the_kernel_restarts_is_no_failure() -> None:
    result = two(call(10, "wait4", "-1, 0x1, 0, NULL", "? ERESTARTSYS (To be restarted)", MS, errno="ERESTARTSYS"))
    assert "interrupted by a signal" in lanes_text(drawn(result))
    assert "FAILED" not in lanes_text(drawn(result))


def test_a_pause_gets_a_row_that_names_its_length() -> None:
    assert "479.0 ms pass" in Page(display.timeline_html(STORY)).text


def crowd(processes: int, calls: int) -> SandboxResult:
    lanes = [SandboxProcess(pid=10, parent=0, role="parent", status=ExitStatus(raw=0))]
    lanes += [
        SandboxProcess(pid=100 + n, parent=10, role=f"child {n}", status=ExitStatus(raw=0)) for n in range(1, processes)
    ]
    made = [call(10, "clone", "flags=SIGCHLD", str(100 + n), n * 2000) for n in range(1, processes)]
    made += [call(lanes[n % processes].pid, "dup", "1", "5", (processes + n) * 2000) for n in range(calls)]
    return SandboxResult(processes=tuple(lanes), calls=tuple(made), verdict="v", shows_calls=True)


@pytest.mark.parametrize("processes", [1, 2, 3, 4, 13, 60])
def test_any_number_of_processes_up_to_sixty_is_drawn(processes: int) -> None:
    html = display.timeline_html(crowd(processes, 30))
    page = Page(html)
    assert page.focusable == 2 * processes - 1 + 30  # forks, ends, calls
    assert html.count('class="arrow') == processes - 1


def test_what_is_left_out_is_said_in_a_sentence() -> None:
    result = crowd(MOST_LANES + 10, MOST_CALLS)
    for form in (lanes_text(drawn(result)), Page(display.timeline_html(result)).text):
        assert f"the first {MOST_CALLS} calls" in form
        assert f"the first {MOST_LANES} processes; 10 more are left out" in form
    assert len(display.timeline_html(result)) < 200_000


def test_no_calls_is_a_sentence() -> None:
    nothing = SandboxResult(processes=(SandboxProcess(pid=1, parent=0, role="parent"),))
    assert lanes_text(drawn(nothing)) == "no calls were seen"
    assert "no calls were seen" in lanes_html(drawn(nothing))


names = st.one_of(hostile, st.sampled_from(TEACHING_CALLS))
calls = st.builds(
    lambda pid, name, arguments, result, start, took, errno: call(pid, name, arguments, result, start, took, errno),
    st.sampled_from((10, 11, 12, 99)),
    names,
    st.one_of(hostile, st.sampled_from(("11, SIGKILL", "12, [{}], 0, NULL", "flags=CLONE_X"))),
    st.one_of(hostile.filter(str.strip), st.sampled_from(("0", "11", "12", "?", "-1 EPERM (x)"))),
    st.integers(0, 50 * MS),
    st.integers(0, 20 * MS),
    st.sampled_from(("", "", "EPERM", "ERESTARTSYS")),
)
statuses = st.one_of(st.none(), st.integers(0, 0xFFFF).map(lambda raw: ExitStatus(raw=raw)))


@settings(max_examples=200)
@given(st.lists(calls, max_size=25), hostile, statuses, st.booleans())
def test_whatever_a_trace_holds_the_picture_is_whole_and_escaped(
    made: list[SystemCall], word: str, status: ExitStatus | None, leftover: bool
) -> None:
    processes = (
        SandboxProcess(pid=10, parent=0, role="parent", status=status),
        SandboxProcess(pid=11, parent=10, role=word, status=status, leftover=leftover, program=word),
        SandboxProcess(pid=12, parent=11, role="child 1.1"),
    )
    result = SandboxResult(processes=processes, calls=tuple(made), verdict=word, shows_calls=True)
    page = Page(display.to_html(result))
    text = display.timeline_text(result)
    assert all(line.isprintable() for line in text.split("\n"))
    for number in re.findall(r"grid-area:(\d+)/", display.to_html(result)):
        assert int(number) >= 1
    if made:
        assert page.focusable >= sum(c.pid != 99 for c in made)
