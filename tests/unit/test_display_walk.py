"""A walk through a traced program: what each stop says, in words and in the picture, and how much it may weigh."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_display_html import Page, hostile
from test_display_timeline import call

from udock_lab import display
from udock_lab.display.spelling import spelled
from udock_lab.display.walk import MOST_STOPS, walked
from udock_lab.model import ExitStatus, LineBegun, NotebookCell, SandboxProcess, SandboxResult, SystemCall
from udock_lab.model.value import replace

US = 1_000
P, C = 10, 11


def at(pid: int, name: str, arguments: str, result: str, start: int, line: int = 0, took: int = 5) -> SystemCall:
    return replace(call(pid, name, arguments, result, start * US, took * US), line=line)


def line(pid: int, time: int, number: int, /, *, held: str = "", **variables: str) -> LineBegun:
    waiting = (("stdout", held),) if held else ()
    return LineBegun(pid=pid, time=time * US, line=number, variables=tuple(variables.items()), held=waiting)


def ran(source: str, calls: tuple[SystemCall, ...], begun: tuple[LineBegun, ...]) -> SandboxResult:
    ended = ExitStatus(raw=0)
    processes = (
        SandboxProcess(pid=P, parent=0, role="parent", status=ended),
        SandboxProcess(pid=C, parent=P, role="child 1", status=ended),
    )
    return SandboxResult(
        processes=processes, calls=calls, verdict="so it went.", shows_calls=True, source=source, begun=begun
    )


DOTS = ran(
    'import os\nprint(".", end="")\nos.fork()',
    (
        at(P, "clone", "flags=SIGCHLD", "11", 20, 3),
        at(P, "write", '1, ".", 1', "1", 40),
        at(P, "exit_group", "0", "?", 50),
        at(C, "write", '1, ".", 1', "1", 60),
        at(C, "exit_group", "0", "?", 70),
    ),
    (
        *(line(P, 1, 1), line(P, 5, 2), line(P, 10, 3, held="'.'"), line(P, 30, 0)),
        *(line(C, 31, 3), line(C, 35, 0)),
    ),
)
PIPE = ran(
    "import os\nr, w = os.pipe()\npid = os.fork()\nif pid == 0:\n    os._exit(0)\nos.read(r, 9)",
    (
        at(P, "pipe2", "[3, 4], O_CLOEXEC", "0", 10, 2),
        at(P, "clone", "flags=SIGCHLD", "11", 20, 3),
        at(C, "exit_group", "0", "?", 40, 5),
        at(P, "read", "3", "?", 45, 6, 0),
    ),
    (
        line(P, 1, 1),
        line(P, 5, 2),
        line(P, 16, 3, r="3", w="4"),
        line(P, 40, 6, pid="11"),
        line(C, 30, 3),
        line(C, 35, 5),
    ),
)
OWN = ran(  # line 4 is a function's in a cell, as the line below the import there is
    "import os\nprint(launch())",
    (
        replace(at(P, "clone", "flags=SIGCHLD", "11", 20, 4), cell=1),
        replace(at(C, "exit_group", "0", "?", 40, 5), cell=1),
        replace(at(P, "wait4", "11, [{WIFEXITED(s) && WEXITSTATUS(s) == 0}], 0, NULL", "11", 30, 6, 40), cell=1),
        at(P, "exit_group", "0", "?", 90),
    ),
    (
        *(line(P, 1, 1), line(P, 5, 2), replace(line(P, 10, 4), cell=1), replace(line(P, 28, 6, pid="11"), cell=1)),
        *(replace(line(C, 35, 5), cell=1), line(P, 75, 2), line(P, 80, 0, held="'None\\n'")),
    ),
)
OWN = replace(
    OWN,
    cells=(
        NotebookCell(
            name="launch",
            text="import os\n\ndef launch():\n    pid = os.fork()\n    pid or os._exit(0)\n    os.waitpid(pid, 0)\n"
            "\ndef other():\n    pass\n",
        ),
    ),
)


def words(result: SandboxResult) -> list[str]:
    return [" ".join(text.split()) for text in re.split(r"(?m)^\d+\. ", display.walk_text(result)) if text]


def test_the_lines_of_a_function_from_a_cell_are_that_cell_s_and_shown_beside_the_program() -> None:
    said = words(OWN)
    assert (
        said[0]
        == "parent, line 4 in launch: fork() = child 1 | pid = os.fork() child 1 has the same descriptors: 0, 1, 2 pid = 11"
    )
    assert "parent, line 6 in launch: waitpid(child 1, 0) waits | os.waitpid(pid, 0)" in said
    assert "parent, line 2: print(launch()) stdout has not written 'None\\n' yet" in said
    page = str(display.walk_html(OWN))
    assert re.findall(r'<li value="(\d+)">', page) == ["3", "4", "5", "6"], "its function, without what did not run"
    assert "launch, from a cell of the notebook" in page
    assert "line 6 in launch: waitpid" in re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    stops = json.loads(script(display.walk_html(OWN)))["stops"]
    assert [(stop["line"], stop.get("cell")) for stop in stops][:2] == [(4, 1), (6, 1)]
    assert stops[0]["at"] == [["parent", 4, 1], ["child 1", 4, 1]]
    events = json.loads(display.trace_json(OWN))["traceEvents"]
    assert "os.waitpid(pid, 0)" in [event.get("args", {}).get("source") for event in events]
    assert all(" in launch" in row for row in display.timeline_text(OWN).splitlines() if "waitpid(child" in row)
    unreadable = replace(OWN, cells=(NotebookCell(name="launch", text="%magic\n" + "x\n" * 8),))
    assert "line 6 in launch" in words(unreadable)[1]
    assert "cell" not in script(display.walk_html(DOTS)), "what calls no such function is as it was"


def test_a_buffer_that_fork_doubled_explains_itself() -> None:
    assert words(DOTS) == [
        'parent, line 2: print(".", end="") stdout has not written \'.\' yet',
        "parent, line 3: fork() = child 1 | os.fork() child 1 has the same descriptors: 0, 1, 2 "
        "child 1 has a copy of what stdout has not written: '.'",
        'parent: write(1, ".") = 1',
        "parent: exit(0) does not return",
        'child 1: write(1, ".") = 1',
        "child 1: exit(0) does not return",
    ]
    stops = walked(DOTS).stops
    assert [dict(stop.lives[0].held).get("stdout", "''") for stop in stops[:3]] == ["'.'", "'.'", "''"]
    assert dict(stops[3].lives[1].held) == {"stdout": "'.'"}, (
        "the child's copy is still there when the parent's is gone"
    )
    assert dict(stops[4].lives[1].held) == {"stdout": "''"}


def test_a_pipe_that_hangs_says_who_holds_its_write_end() -> None:
    (last,) = [text for text in words(PIPE) if "line 6: read(3) did not come back" in text]
    assert "its write end is held open by itself, so no end of file comes" in last


def test_a_shared_offset_moves_for_both_and_is_drawn_as_shared() -> None:
    calls = (
        at(P, "openat", 'AT_FDCWD, "f", O_RDWR|O_CREAT|O_CLOEXEC, 0777', "3", 10, 1),
        at(P, "clone", "flags=SIGCHLD", "11", 20, 2),
        at(C, "write", '3, "abc", 3', "3", 30, 3),
    )
    result = ran("a\nb\nc", calls, (line(P, 5, 1), line(P, 15, 2), line(C, 25, 3)))
    assert any(
        "line 3: write" in text and "the offset of f is 3, for all who share it" in text for text in words(result)
    )
    panels = json.loads(script(display.walk_html(result)))["panels"]
    shared = [Page(panel).text for panel in panels if "shared with" in panel]
    assert any("f offset 3 shared with child 1" in " ".join(text.split()) for text in shared)
    assert any("f offset 3 shared with parent" in " ".join(text.split()) for text in shared)


def test_a_stop_belongs_to_the_call_of_its_line_and_knows_what_that_has_changed() -> None:
    (opened, forked, *_) = walked(PIPE).stops
    assert (opened.line, opened.changed[-2:]) == (2, ("r = 3", "w = 4"))
    assert opened.lives[0].variables == {"r": "3", "w": "4"}
    assert forked.changed[-1] == "pid = 11"


@pytest.mark.parametrize(
    ("made", "shown"),
    [
        (
            at(P, "wait4", "11, [{WIFEXITED(s) && WEXITSTATUS(s) == 3}], WNOHANG, NULL", "11", 0),
            "waitpid(child 1, WNOHANG)",
        ),
        (at(P, "openat", 'AT_FDCWD, "a, b", O_RDONLY|O_CLOEXEC', "3", 0), 'open("a, b", O_RDONLY)'),
        (at(P, "openat", '5, "a", O_RDONLY', "3", 0), 'open(5, "a", O_RDONLY)'),
        (at(P, "pipe2", "[3, 4], O_CLOEXEC", "0", 0), "pipe()"),
        (at(P, "read", '3, "got, 4", 100', "6", 0), "read(3, 100)"),
        (at(P, "write", '1, "I am 11\\n", 8', "8", 0), 'write(1, "I am <child 1>\\n")'),
        (at(P, "write", f'1, "{"ab" * 34}cd\\\\{"x" * 99}", 171', "171", 0), f'write(1, "{"ab" * 34}cd\\\\"...)'),
        (at(P, "write", f'1, "{"ab" * 35}c\\\\{"x" * 99}", 171', "171", 0), f'write(1, "{"ab" * 35}c"...)'),
        (at(P, "exit_group", "3", "?", 0, 4), "_exit(3)"),
        (at(P, "exit_group", "0", "?", 0), "exit(0)"),
        (at(P, "linkat", 'AT_FDCWD, "a", AT_FDCWD, "b", 0', "0", 0), 'link("a", "b", 0)'),
    ],
)
def test_calls_are_written_as_a_program_writes_them(made: SystemCall, shown: str) -> None:
    assert spelled(made, {C: "child 1"}, known=True) == shown


def test_the_kernel_s_name_is_where_hover_and_focus_show_it() -> None:
    page = display.timeline_html(DOTS)
    assert "The kernel&#39;s name is clone." in page
    assert "<b>fork</b>()" in page


def script(shown: str) -> str:
    (found,) = re.findall(r'<script type="application/json">(.*?)</script>', shown, re.DOTALL)
    return str(found)


@settings(max_examples=40)
@given(st.lists(hostile, min_size=4, max_size=4))
def test_whatever_a_program_holds_stays_text_in_the_page_and_in_its_script(texts: list[str]) -> None:
    one, two, three, four = texts
    calls = (at(P, "openat", f'AT_FDCWD, "{one}", O_RDWR', "3", 10, 1), at(P, "write", f'3, "{two}", 3', "3", 20, 2))
    begun = (line(P, 1, 1), line(P, 15, 2, held=repr(three), x=repr(four)))
    shown = display.walk_html(ran(f"{one}\n{two}", calls, begun))
    data = script(shown)
    assert "<" not in data
    for panel in json.loads(data)["panels"]:
        assert "script" not in Page(panel).shape
        assert {shape.split()[0] for shape in Page(panel).shape} <= {
            "section", "span", "small", "b", "table", "tbody", "tr", "th", "td", "code", "p", "mark",
        }  # fmt: skip
    assert shown.count("<script") == 2


def test_without_a_script_every_stop_stands_in_words() -> None:
    shown = re.sub(r"<script.*?</script>", "", display.walk_html(PIPE), flags=re.DOTALL)
    text = " ".join(Page(shown).text.split())
    for stop in ("pipe() = 3, 4", "fork() = child 1", "held open by itself"):
        assert stop in text


def test_ten_thousand_calls_weigh_little_and_it_is_said_what_is_left_out() -> None:
    calls = tuple(at(P, "write", f'1, "{n}", 4', "4", 10 * n + 5, 2) for n in range(10_000))
    begun = tuple(line(P, 10 * n, 2, n=str(n)) for n in range(10_000))
    result = ran("for n in range(10_000):\n    os.write(1, n)", calls, begun)
    assert len(walked(result).stops) <= MOST_STOPS
    page = display.to_html(result)
    assert len(page) < 500_000
    assert "9800 later ones are left out" in page
    assert "trace_json" in page


def test_a_trace_without_lines_has_no_walk() -> None:
    plain = replace(DOTS, begun=(), source="")
    assert display.walk_html(plain) == ""
    assert "--trace" in display.walk_text(plain)
    assert "Step through it" not in display.to_html(plain)


def test_the_export_is_what_the_trace_event_format_asks_for() -> None:
    events = json.loads(display.trace_json(PIPE))["traceEvents"]
    for event in events:
        assert event["ph"] in "XMsf"
        assert all(isinstance(event[key], int) for key in ("pid", "tid"))
        assert isinstance(event["ts"], (int, float))
        assert event["ph"] != "X" or event["dur"] >= 0
    calls = [event for event in events if event["ph"] == "X"]
    assert [(one["name"], one["args"].get("line")) for one in calls] == [
        ("pipe", 2), ("fork", 3), ("_exit", 5), ("read", 6),
    ]  # fmt: skip
    assert calls[1]["args"]["source"] == "pid = os.fork()"
    names = {event["pid"]: event["args"]["name"] for event in events if event["name"] == "process_name"}
    assert names == {P: "parent", C: "child 1"}
    flow = [(event["ph"], event["pid"], event["id"]) for event in events if event["ph"] in "sf"]
    assert flow == [("s", P, C), ("f", C, C)]
