"""Pids of a pid namespace in our own numbers: each process is asked once, and one that is gone is known by its turn."""

from __future__ import annotations

import pytest

from udock_lab.linux.pidnumbers import PidNumbers
from udock_lab.linux.strace import TraceParser
from udock_lab.model import SystemCall

INSIDE = {50: [50], 700: [700, 1], 703: [703, 2], 706: [706, 3], 709: [709, 4], 712: [712, 5]}  # ours, theirs


def numbers(*, gone: tuple[int, ...] = ()) -> PidNumbers:
    """A /proc that has forgotten some."""
    there = {pid: found for pid, found in INSIDE.items() if pid not in gone}
    return PidNumbers(lambda pid: there.get(pid, []), lambda pid: list(there))


def lines(*words: str) -> bytes:
    return "".join(f"{word.split()[0]} 1.{at:09} {word.split(' ', 1)[1]}\n" for at, word in enumerate(words)).encode()


def read(parser: TraceParser, data: bytes) -> list[str]:
    return [f"{one.pid} {one}" if isinstance(one, SystemCall) else f"{one.pid}" for one in parser.feed(data)]


@pytest.mark.parametrize(
    ("said", "ours"),
    [
        ("700 clone(flags=SIGCHLD) = 2 <0.1>", "700 clone(flags=SIGCHLD) = 703"),
        ("700 wait4(2, [{WIFEXITED(s)}], 0, NULL) = 2", "700 wait4(703, [{WIFEXITED(s)}], 0, NULL) = 703"),
        ("700 wait4(-1, NULL, 0, NULL) = 2", "700 wait4(-1, NULL, 0, NULL) = 703"),
        (
            "700 waitid(P_PID, 2, {si_pid=2, si_status=2}, 4) = 0",
            "700 waitid(P_PID, 703, {si_pid=703, si_status=2}, 4) = 0",
        ),
        ("700 kill(-3, SIGTERM) = 0", "700 kill(-706, SIGTERM) = 0"),
        ("700 tgkill(2, 3, SIGTERM) = 0", "700 tgkill(703, 706, SIGTERM) = 0"),
        ("700 dup2(2, 3) = 3", "700 dup2(2, 3) = 3"),
        ("700 wait4(2, NULL, 0, NULL) = -1 ECHILD (No child)", "700 wait4(703, NULL, 0, NULL) = -1 ECHILD (No child)"),
        ("50 clone(flags=SIGCHLD) = 2", "50 clone(flags=SIGCHLD) = 2"),  # outside of that namespace
    ],
)
def test_what_a_call_is_given_and_hands_back_is_in_our_numbers(said: str, ours: str) -> None:
    pids = numbers()
    for pid in INSIDE:
        pids.meet(pid)
    assert read(TraceParser(pids), lines(said)) == [ours]


def test_one_that_ended_before_anybody_asked_is_known_by_its_turn_and_nothing_overtakes_it() -> None:
    parser = TraceParser(numbers(gone=(706,)))
    assert read(parser, lines("700 clone() = 2", "703 execve() = 0")) == ["700 clone() = 703", "703 execve() = 0"]
    assert read(parser, lines("700 clone() = 3", "706 exit_group(0) = ?", "700 wait4(3, NULL, 0, NULL) = 3")) == [
        "700 clone() = 706",
        "706 exit_group(0) = ?",
        "700 wait4(706, NULL, 0, NULL) = 706",
    ]


def test_what_nobody_knows_until_the_end_comes_at_the_end() -> None:
    parser = TraceParser(numbers(gone=(706, 709, 712)))
    assert read(parser, lines("700 clone() = 2")) == ["700 clone() = 703"]
    assert (
        read(parser, lines("700 clone() = 3", "700 clone() = 4", "709 exit_group(0) = ?", "706 exit_group(1) = ?"))
        == []
    )
    assert [str(event) for event in parser.late()][:2] == ["clone() = 706", "clone() = 709"]


def test_each_process_is_asked_once() -> None:
    asked: list[int] = []

    def ask(pid: int) -> list[int]:
        asked.append(pid)
        return INSIDE.get(pid, [])

    parser = TraceParser(PidNumbers(ask, lambda pid: []))
    read(parser, lines(*["703 execve() = 0", "700 clone() = 2", "700 wait4(2, NULL, 0, NULL) = 2"] * 50))
    assert sorted(asked) == [700, 703]
