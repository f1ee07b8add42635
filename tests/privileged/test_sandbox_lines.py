"""Each traced call carries the learner's line, and the program that is watched so does what it does unwatched."""

from __future__ import annotations

import linecache
import re
import struct
from collections import Counter
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from udock_lab import display, sandbox
from udock_lab.display import walk_text
from udock_lab.model import SandboxResult
from udock_lab.sandbox.line_log import FILE, HEAD, RECORD, SEGMENT, number_of, read_log

TOUR = """\
import os, sys, threading
def leave(code):
    os._exit(code)
fd = os.open("f", os.O_RDWR | os.O_CREAT)
for n in range(3):
    os.write(fd, b"x")
pid = os.fork()
if pid == 0:
    os.write(fd, b"child")
    leave(7)
os.waitpid(pid, 0)
def work():
    os.write(fd, b"thread")
thread = threading.Thread(target=work)
thread.start()
thread.join()
try:
    os.open("missing", os.O_RDONLY)
except OSError:
    os.chdir("/")
total = 0
while total < 20_000:
    total += 1
os.lseek(fd, 0, os.SEEK_SET)
os.read(fd, 3)
kid = os.fork() or os.close(fd) or os._exit(0)
os.waitpid(kid, 0)
print("kept")
os.nice(sys.getrecursionlimit() * 0)
raise KeyError("at the end")
"""


@cache
def tour() -> SandboxResult:
    return sandbox.run(TOUR, trace=True, lines=True, timeout=60)


def test_calls_carry_their_line_across_forks_functions_loops_threads_and_errors() -> None:
    found = Counter((call.name, call.line) for call in tour().calls)
    written = {(call.arguments.split(",")[1].strip(), call.line) for call in tour().calls if call.name == "write"}
    assert {('"x"', 6), ('"child"', 9), ('"thread"', 13)} <= written
    assert found["write", 6] == 3
    assert {("openat", 4), ("openat", 18), ("chdir", 20), ("wait4", 11), ("lseek", 24), ("read", 25)} <= set(found)
    assert found["exit_group", 3] == 1
    assert [call.line for call in tour().calls if call.name == "close" and call.arguments == "3"] == [26]
    assert [call.line for call in tour().calls_of("child 2") if call.name == "exit_group"] == [26]


def test_calls_that_the_interpreter_makes_at_its_end_carry_no_line() -> None:
    ends = [call for call in tour().calls_of("parent") if call.name == "exit_group" or "kept" in call.arguments]
    assert [(call.name, call.line) for call in ends] == [("write", 0), ("exit_group", 0)]
    errors = [call for call in tour().calls if call.name == "write" and call.arguments.startswith("2,")]
    assert errors
    assert {call.line for call in errors} == {0}


def test_lines_say_what_they_changed_and_what_is_printed_and_not_written_yet() -> None:
    lines = tour().begun
    parent, child = tour().parent.pid, tour().children[0].pid
    news = {(one.pid, name): value for one in lines for name, value in one.variables}
    assert news[parent, "pid"] == str(child)
    assert news[child, "pid"] == "0"
    assert news[parent, "n"] == "2"
    assert news[parent, "total"] == "20000"
    assert ("code in leave", "7") in [pair for one in lines for pair in one.variables if one.pid == child]
    assert [value for one in lines if one.pid == parent for _, value in one.held][-1] == r"'kept\n'"
    assert not any(value for (_, name), value in news.items() if name in ("os", "work", "thread", "__builtins__"))


CELL = """\
import os

def told(status):
    return os.waitstatus_to_exitcode(status)


class Launcher:
    def start(self):
        pid = os.fork()
        if pid == 0:
            os._exit(7)
        return told(os.waitpid(pid, 0)[1])


def never_called():
    os.chdir("/")

def launch():
    return Launcher().start()
"""


def cell_of_the_notebook(text: str, number: int) -> dict[str, object]:
    """Run a cell as IPython does: a file that there is not, whose text linecache has."""
    file = f"/tmp/ipykernel_1/{number}.py"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    namespace: dict[str, object] = {"__name__": "__main__"}
    exec(compile(text, file, "exec"), namespace)
    return namespace


def test_a_function_of_an_earlier_cell_is_stepped_through_with_the_numbers_of_its_own_lines() -> None:
    names = {"launch": cell_of_the_notebook(CELL, 1)["launch"]}
    result = sandbox.run(
        "import os\nfor n in range(1):\n    print(launch())\nos.mkdir('d')", names=names, trace=True, lines=True
    )
    at = [
        (call.name, call.cell, call.line)
        for call in result.calls
        if call.name in ("clone", "exit_group", "wait4", "mkdir")
    ]
    assert at == [("clone", 1, 9), ("exit_group", 1, 11), ("wait4", 1, 12), ("mkdir", 0, 4), ("exit_group", 0, 0)]
    walk = walk_text(result)
    assert re.search(r"parent, line 12 in Launcher: waitpid\(child 1, 0\) .*   \| return told\(os\.waitpid\(", walk)
    assert "child 1, line 11 in Launcher: _exit(7)" in walk
    assert "     status in told = 1792" in walk
    assert "parent, line 3: print(launch())\n     stdout has not written '7\\n' yet" in walk, "back in the program"
    assert "parent   12 in Launcher  ok" in str(display.timeline_text(result))
    page = str(display.walk_html(result))
    assert ">Launcher, from a cell of the notebook" in page
    assert [int(number) for number in re.findall(r'<li value="(\d+)">', page)] == [*range(7, 13)]
    assert "never_called" not in page
    for other in ({}, {"lines": True}):
        plain = sandbox.run("print(launch())", names=names, **other)
        assert (plain.stdout, plain.begun, plain.cells) == ("7\n", (), ())


def test_a_log_that_names_a_cell_which_there_is_not_tells_no_line() -> None:
    assert number_of(2 << FILE | 3, 2) == (2, 3)
    assert number_of(3 << FILE | 3, 2) == (0, 0)


SAME = """
import gc, os, resource, signal, sys, threading
def deep(n):
    return n if n == 900 else deep(n + 1)
class Late(Exception): pass
def late(number, frame):
    raise Late
signal.signal(signal.SIGALRM, late)
caught = 0
for turn in range(40):
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.0005)
        for step in range(10**9): pass
    except Late:
        caught += 1
import builtins
real = builtins.len, builtins.repr, builtins.type
builtins.len = builtins.repr = None
x = (1, "a" * 500, b"", [1] * 50, 10**400, 2.5, None, {"a": object()})
builtins.len, builtins.repr, builtins.type = real
try:
    def endless(): endless()
    endless()
except RecursionError:
    print("deep enough")
print(caught, deep(0), sorted(os.listdir("/proc/self/fd")), threading.active_count(), resource.getrlimit(resource.RLIMIT_AS))
pid = os.fork()
if pid == 0:
    print(sorted(os.listdir("/proc/self/fd")))
    sys.exit(5)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
held = open("f", "w")
held.write("never closed")
del held
print(os.stat("f").st_size, sys.argv, __name__)
os.kill(os.getpid(), 9)
"""


def test_a_program_does_the_same_whether_or_not_its_lines_are_watched() -> None:
    watched, plain = sandbox.run(SAME, trace=True, lines=True), sandbox.run(SAME)
    assert watched.stdout == plain.stdout
    assert watched.stderr == plain.stderr
    assert [process.status for process in watched.processes] == [process.status for process in plain.processes]
    assert watched.verdict == plain.verdict
    assert not plain.begun


LONG = """
import os
n = 0
while n < 400_000:
    n += 1
os.mkdir("after")
pid = os.fork()
if pid == 0:
    os._exit(3)
os.waitpid(pid, 0)
"""


def test_a_long_computation_is_not_watched_to_its_end_and_its_later_calls_have_no_line() -> None:
    result = sandbox.run(LONG, trace=True, lines=True, timeout=60)
    assert [(call.name, call.line) for call in result.calls if call.name in ("mkdir", "wait4")] == [
        ("mkdir", 0),
        ("wait4", 0),
    ]
    assert {call.line for call in result.calls} == {0}
    assert [one.line for one in result.begun if one.last] == [0]
    assert result.children[0].status is not None
    assert "the later ones were not watched" in walk_text(result)


UNWATCHED = "import sys; print(sys.gettrace(), any('line_log' in name for name in sys.modules))"


@pytest.mark.parametrize("options", [{}, {"trace": True}, {"trace": True, "lines": True, "shut": True}])
def test_who_does_not_step_pays_nothing(options: dict[str, bool]) -> None:
    result = sandbox.run(UNWATCHED, **options)
    assert result.stdout == "None False\n"
    assert not result.begun
    assert not result.source


def test_a_learner_s_own_trace_function_wins() -> None:
    result = sandbox.run("import sys\nsys.settrace(lambda *a: None)\nprint(sys.gettrace())", trace=True, lines=True)
    assert "<lambda>" in result.stdout


def test_more_threads_and_lines_than_there_is_room_for_leave_calls_without_a_line_never_with_a_wrong_one() -> None:
    code = "import os\n" + "x = 1\nx = 2\n" * 3000 + "os.chdir('/')\n"
    (call,) = [call for call in sandbox.run(code, trace=True, lines=True).calls if call.name == "chdir"]
    assert call.line == 6002
    many = "import os\nfor n in range(150):\n    pid = os.fork()\n    if pid == 0:\n        os._exit(0)\n    os.waitpid(pid, 0)"
    result = sandbox.run(many, trace=True, lines=True, timeout=60)
    exits = Counter(call.line for call in result.calls if call.name == "exit_group")
    assert set(exits) == {0, 5}
    assert exits[5] >= 120


@given(st.binary(max_size=300), st.integers(0, SEGMENT + 9))
def test_whatever_stands_in_the_log_is_read_without_an_error(data: bytes, used: int) -> None:
    segment = HEAD.pack(41, used) + data
    for entries in read_log(segment.ljust(SEGMENT, b"\xff")).values():
        assert len(entries) <= SEGMENT // RECORD.size
    assert read_log(b"") == {}
    assert struct.calcsize(RECORD.format) == RECORD.size
