"""The first interrupt asks, the second kills, the third lets go where nobody acts."""

from __future__ import annotations

import os
import signal
import subprocess
import threading

import pytest
from waiting import until

from udock_lab.errors import LetGo
from udock_lab.linux.process import state
from udock_lab.wire.interrupts import INSIST, Insistence, handled, is_ignored


def interrupted(times: int) -> Insistence:
    asked = Insistence()
    for _ in range(times):
        asked.interrupt()
    return asked


def test_first_interrupt_asks_and_every_later_one_kills() -> None:
    asked = Insistence()
    assert [asked.interrupt() for _ in range(4)] == [signal.SIGINT, signal.SIGKILL, signal.SIGKILL, signal.SIGKILL]


def test_other_signals_that_want_the_end_count_and_are_no_interrupts() -> None:
    asked = interrupted(1)
    asked.ask()
    assert not asked.insists
    asked.ask()
    assert asked.insists
    assert asked.interrupts == 1


def test_caller_is_let_go_at_once_where_a_helper_is_stopped() -> None:
    with subprocess.Popen(["sleep", "60"]) as helper:
        asked = interrupted(INSIST)
        asked.let_go_of([helper.pid], "The sandbox")  # it runs: it will act
        helper.send_signal(signal.SIGSTOP)
        assert until(lambda: state(helper.pid) == "T")
        with pytest.raises(LetGo) as let_go:
            asked.let_go_of([os.getpid(), helper.pid], "The sandbox")
        helper.kill()
    assert let_go.value.stopped == (helper.pid,)
    assert f"kill -CONT {helper.pid}" in let_go.value.hint


def test_caller_waits_for_a_helper_that_runs_until_its_time_is_up() -> None:
    asked = interrupted(INSIST)
    asked.let_go_of([os.getpid()], "c1", "c1", wait=False)
    assert until(lambda: asked.is_out_of_patience)
    asked.let_go_of([os.getpid()], "c1", "c1")
    with pytest.raises(LetGo, match=rf"c1 is let go: .*\({os.getpid()}\) does not answer"):
        asked.let_go_of([os.getpid()], "c1", "c1", wait=False)
    interrupted(INSIST - 1).let_go_of([os.getpid()], "c1", "c1", wait=False)


def test_handlers_hold_within_and_what_was_before_comes_back() -> None:
    seen: list[int] = []
    before = signal.getsignal(signal.SIGUSR1)
    with handled({signal.SIGUSR1: lambda number, _: seen.append(number)}):
        os.kill(os.getpid(), signal.SIGUSR1)
    assert seen == [signal.SIGUSR1]
    assert signal.getsignal(signal.SIGUSR1) == before


def test_elsewhere_than_in_the_main_thread_nothing_is_handled() -> None:
    before, within = signal.getsignal(signal.SIGUSR1), list[object]()

    def work() -> None:
        with handled({signal.SIGUSR1: print}):
            within.append(signal.getsignal(signal.SIGUSR1))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert within == [before]


def test_signal_that_our_caller_ignored_is_not_ours() -> None:
    before = signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    assert is_ignored(signal.SIGUSR1)
    signal.signal(signal.SIGUSR1, signal.SIG_DFL)
    assert not is_ignored(signal.SIGUSR1)
    signal.signal(signal.SIGUSR1, before)
