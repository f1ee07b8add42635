"""What a process waits for, as /proc shows it: who sleeps until something comes through a pipe."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from waiting import until

from udock_lab.linux.process import descendants, state
from udock_lab.linux.waiting import Readers

SELECT = "import select, os; other, _ = os.pipe(); select.select([{}], [], [])"
POLL = "import select, os; other, _ = os.pipe(); p = select.poll(); p.register({}, select.POLLIN); p.poll()"
EPOLL = "import select, os; other, _ = os.pipe(); p = select.epoll(); p.register({}, select.EPOLLIN); p.poll()"
THREAD = "import threading, time; threading.Thread(target=input).start(); time.sleep(60)"


@contextmanager
def started(argv: list[str]) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A program whose standard input is a pipe, and our end of that."""
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True) as program:
        assert program.stdin is not None
        try:
            yield program, program.stdin.fileno()
        finally:
            os.killpg(program.pid, 9)


def in_python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


@pytest.mark.parametrize(
    "argv",
    [
        ["cat"],
        ["tee"],
        ["sh", "-c", "read line"],
        ["sh", "-c", "cat | cat; :"],
        ["sh", "-c", "exec 7<&0 < /dev/null; read line <&7"],
        ["bash", "-c", "read -t 50 line"],
        ["busybox", "cat"],
        in_python("input()"),
        in_python(SELECT.format(0)),
        in_python(POLL.format(0)),
        in_python(EPOLL.format(0)),
        in_python(THREAD),
    ],
    ids=" ".join,
)
def test_whoever_waits_for_the_pipe_is_seen_however_it_waits(argv: list[str]) -> None:
    if shutil.which(argv[0]) is None:
        pytest.skip(f"no {argv[0]} here")
    with started(argv) as (program, pipe):
        readers = Readers(pipe, program.pid)
        assert until(lambda: readers.wait_for_it() is True)


@pytest.mark.parametrize(
    "argv",
    [
        ["sleep", "60"],
        ["sh", "-c", "sleep 60; :"],
        ["sh", "-c", "sleep 60 & wait"],
        in_python(SELECT.format("other")),
        in_python(POLL.format("other")),
        in_python(EPOLL.format("other")),
        in_python("import os; other, _ = os.pipe(); os.read(other, 1)"),
    ],
    ids=" ".join,
)
def test_whoever_waits_for_something_else_does_not_count_though_it_holds_the_pipe(argv: list[str]) -> None:
    with started(argv) as (program, pipe):
        readers = Readers(pipe, program.pid)
        family = (program.pid, *descendants(program.pid))
        assert until(lambda: all(state(pid) == "S" for pid in family) and readers.wait_for_it() is False)
        seen = readers.activity
        assert readers.wait_for_it() is False
        assert readers.activity == seen


def test_program_that_runs_does_not_wait_and_is_seen_to_do_something() -> None:
    with started(["sh", "-c", "while :; do :; done"]) as (program, pipe):
        readers = Readers(pipe, program.pid)
        assert until(lambda: readers.wait_for_it() is False and readers.activity)
        seen = readers.activity
        assert until(lambda: readers.wait_for_it() is False and readers.activity != seen)


def test_nothing_is_told_of_a_reader_that_is_not_below_the_process() -> None:
    with started(["cat"]) as (_, pipe), started(["sleep", "60"]) as (other, _):
        assert Readers(pipe, other.pid).wait_for_it() is None
