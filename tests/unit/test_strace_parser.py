"""strace's words, as strace 6.1 wrote them, become typed events; junk and odd pieces never harm."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from udock_lab.linux.strace import TEACHING_CALLS, ProcessEnded, SignalCame, TraceParser, command
from udock_lab.model import SystemCall

FORK_AND_WAIT = rb"""
7978  1795563032.083635723 clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID|SIGCHLD, child_tidptr=0x7f2aa8656e50) = 7979 <0.000199438>
7978  1795563032.083939306 wait4(7979,  <unfinished ...>
7979  1795563032.135417335 exit_group(42) = ?
7979  1795563032.135860065 +++ exited with 42 +++
7978  1795563032.135886885 <... wait4 resumed>[{WIFEXITED(s) && WEXITSTATUS(s) == 42}], 0, NULL) = 7979 <0.051935651>
7978  1795563032.135924782 --- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=7979, si_uid=0, si_status=42, si_utime=0, si_stime=0} ---
7978  1795563032.192086440 chroot("/nonexistent") = -1 ENOENT (No such file or directory) <0.000009144>
7978  1795563032.193834028 clone3({flags=CLONE_VM|CLONE_VFORK, exit_signal=SIGCHLD, stack=0x7f2aa73f3000, stack_size=0x9000}, 88 <unfinished ...>
8002  1795563032.195876345 execve("/bin/sh", ["sh", "-c", "exit 3"], 0x7f2aa7da4260 /* 0 vars */ <unfinished ...>
7978  1795563032.195956144 <... clone3 resumed>) = 8002 <0.002097561>
8002  1795563032.196072518 <... execve resumed>) = 0 <0.000175873>
7978  1795563032.196841836 mkdir("/tmp/a\"b\n\\c/d", 0777) = -1 ENOENT (No such file or directory) <0.000017075>
""".lstrip()


def calls(data: bytes) -> list[SystemCall]:
    return [event for event in TraceParser().feed(data) if isinstance(event, SystemCall)]


def one(line: str) -> object:
    return TraceParser().line(line)


def test_every_line_of_a_real_run_is_understood() -> None:
    parser = TraceParser()
    events = parser.feed(FORK_AND_WAIT)
    assert parser.unknown == 0
    assert [type(event).__name__ for event in events].count("SystemCall") == 7
    assert parser.unfinished() == []


def test_call_that_another_process_interrupted_is_one_call_from_its_beginning_to_its_end() -> None:
    wait = next(call for call in calls(FORK_AND_WAIT) if call.name == "wait4")
    assert wait.arguments == "7979, [{WIFEXITED(s) && WEXITSTATUS(s) == 42}], 0, NULL"
    assert wait.value == 7979
    assert wait.start == 1795563032083939306
    assert wait.end == wait.start + 51935651


def test_end_of_a_process_carries_its_wait_status() -> None:
    ended = next(event for event in TraceParser().feed(FORK_AND_WAIT) if isinstance(event, ProcessEnded))
    assert (ended.pid, ended.status.raw, ended.status.code) == (7979, 42 << 8, 42)


def test_failed_call_has_the_name_of_its_errno_and_no_value() -> None:
    failed = next(call for call in calls(FORK_AND_WAIT) if call.name == "chroot")
    assert (failed.errno, failed.value, failed.arguments) == ("ENOENT", None, '"/nonexistent"')


def test_vforked_child_that_becomes_a_program_before_its_parent_returns_is_told_apart() -> None:
    pairs = [(call.pid, call.name, call.value) for call in calls(FORK_AND_WAIT) if call.name in ("clone3", "execve")]
    assert pairs == [(7978, "clone3", 8002), (8002, "execve", 0)]


def test_quotes_and_backslashes_in_a_path_stay_as_strace_wrote_them() -> None:
    made = next(call for call in calls(FORK_AND_WAIT) if call.name == "mkdir")
    assert made.arguments == r'"/tmp/a\"b\n\\c/d", 0777'


@pytest.mark.parametrize(
    ("text", "raw"),
    [
        ("+++ killed by SIGKILL +++", 9),
        ("+++ killed by SIGABRT +++", 6),
        ("+++ killed by SIGSEGV (core dumped) +++", 11 | 0x80),
        ("+++ killed by SIGRT_3 +++", 35),
        ("+++ exited with 255 +++", 255 << 8),
    ],
)
def test_each_way_to_end_becomes_its_status(text: str, raw: int) -> None:
    event = one(f"77  1795563032.140777123 {text}")
    assert isinstance(event, ProcessEnded)
    assert event.status.raw == raw


def test_superseded_thread_is_no_end_of_a_process() -> None:
    assert one("77  1795563032.140777123 +++ superseded by execve in pid 78 +++") is None


def test_signals_are_told_from_stops() -> None:
    came = one("7983  1795563032.140321633 --- SIGABRT {si_signo=SIGABRT, si_code=SI_USER, si_pid=7983, si_uid=0} ---")
    stopped = one("7983  1795563032.140321633 --- stopped by SIGSTOP ---")
    assert isinstance(came, SignalCame)
    assert isinstance(stopped, SignalCame)
    assert (came.name, came.stops) == ("SIGABRT", False)
    assert (stopped.name, stopped.stops) == ("SIGSTOP", True)


def test_call_in_which_a_process_was_killed_is_unfinished_and_does_not_return() -> None:
    parser = TraceParser()
    parser.feed(b"7984  1795563032.191491252 wait4(-1,  <unfinished ...>\n7984  1795563032.2 junk\n")
    (call,) = parser.unfinished()
    assert (call.pid, call.name, call.result, call.value) == (7984, "wait4", "?", None)
    assert parser.unknown == 1
    assert parser.unfinished() == []


def test_detached_call_counts_as_begun() -> None:
    parser = TraceParser()
    assert parser.feed(b"7984  1795563032.191491252 wait4(-1,  <detached ...>\n") == []
    assert len(parser.unfinished()) == 1


def test_words_of_strace_inside_an_argument_are_only_an_argument() -> None:
    event = one(
        '5  1795563032.191491252 open("/x <unfinished ...>) = 3", O_RDONLY) = -1 ENOENT (No such file or directory) <0.1>'
    )
    assert isinstance(event, SystemCall)
    assert (event.errno, event.arguments) == ("ENOENT", '"/x <unfinished ...>) = 3", O_RDONLY')


def test_value_in_hexadecimal_is_read() -> None:
    event = one("5  1795563032.191491252 mmap(NULL, 4096) = 0x7f0000000000 <0.000001>")
    assert isinstance(event, SystemCall)
    assert event.value == 0x7F0000000000


@given(st.lists(st.integers(min_value=1, max_value=200), max_size=40))
def test_events_do_not_depend_on_where_the_pieces_are_cut(sizes: list[int]) -> None:
    parser, at, events = TraceParser(), 0, []
    for size in [*sizes, len(FORK_AND_WAIT)]:
        events += parser.feed(FORK_AND_WAIT[at : at + size])
        at += size
    assert events == TraceParser().feed(FORK_AND_WAIT)


@given(st.lists(st.one_of(st.binary(max_size=80), st.sampled_from(FORK_AND_WAIT.splitlines(keepends=True)))))
def test_junk_between_the_lines_never_raises(pieces: list[bytes]) -> None:
    parser = TraceParser()
    for piece in pieces:
        parser.feed(piece)
    parser.unfinished()


_WORDS = st.sampled_from(
    ["clone(", ") = ", "-1 EPERM (x)", "<unfinished ...>", "<... clone resumed>", "+++ ", "killed by ", "SIGRT_", "x",
     "--- ", "stopped by ", "exited with 9", " <0.1>", "7 ", "= ?", '"', "\x00", "é"]
)  # fmt: skip


@given(st.lists(_WORDS, max_size=12))
def test_lines_made_of_its_own_words_in_any_order_never_raise(words: list[str]) -> None:
    parser = TraceParser()
    parser.line("7  1795563032.191491252 " + "".join(words))
    parser.unfinished()


def test_real_strace_agrees_with_the_kernel_on_statuses() -> None:
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("needs privilege: strace is missing")
    code = "import os\nfor n in (0, 7):\n  if os.fork() == 0: os._exit(n)\n  os.wait()\nos.kill(os.getpid(), 15)"
    read, write = os.pipe()
    words = command(strace, write, TEACHING_CALLS, [sys.executable, "-I", "-S", "-c", code])
    done = subprocess.run(words, pass_fds=(write,), stderr=subprocess.PIPE)
    os.close(write)
    with open(read, "rb") as file:
        parser = TraceParser()
        events = parser.feed(file.read())
    if b"ptrace" in done.stderr.lower():
        pytest.skip("needs privilege: ptrace is refused")
    assert [event.status.raw for event in events if isinstance(event, ProcessEnded)] == [0, 7 << 8, 15]
    assert parser.unknown == 0
