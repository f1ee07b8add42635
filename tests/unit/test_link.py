"""One run as its caller sees it: a link that never blocks, driven here by a loop of the test's own."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Mapping
from contextlib import ExitStack, closing

import pytest
from waiting import until

from udock_lab import LauncherDied, Runtime
from udock_lab.model import ContainerSpec
from udock_lab.runtime.client.connection import the_launcher
from udock_lab.runtime.client.link import OUTPUT_KEPT, Input, Link
from udock_lab.runtime.client.planning import run_request
from udock_lab.runtime.protocol import Ended, Event, Output, Refused, Started
from udock_lab.runtime.state.rootsource import Directory

Said = Event | Output


def asked(runtime: Runtime, *argv: str, typed: Input | None = None, tty: bool = False) -> Link:
    """A run that a launcher was asked for."""
    spec = ContainerSpec(image="demo", argv=argv, tty=tty, interactive=typed is not None)
    root = Directory(path=runtime.home.image_rootfs("demo"))
    request = run_request(runtime.home, spec, root, announce=True).request
    link = Link(typed)
    brought = [] if typed is None else [typed.far_end]
    link.ask(lambda far_end: the_launcher().request(request, [far_end, *brought]))
    return link


def ready_at(link: Link, seconds: float) -> Mapping[int, int]:
    poll = select.poll()
    for fd, events in link.waits_for().items():
        poll.register(fd, events)
    return dict(poll.poll(1000 * seconds))


def said_until(link: Link, last: type[Said] | tuple[type[Said], ...]) -> list[Said]:
    """What came, up to that message."""
    said: list[Said] = []
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        one = link.advance(ready_at(link, 20))
        said += [] if one is None else [one]
        if isinstance(one, Started) and link.input is not None:
            link.input.hand_over()
        if isinstance(one, last):
            return said
    raise TimeoutError


def test_messages_come_in_order_and_the_id_with_the_first(runtime: Runtime) -> None:
    with closing(asked(runtime, "/bin/sh", "-c", "echo out; exit 3")) as link:
        said = said_until(link, (Ended, Refused))
        assert [type(one) for one in said] == [Started, Output, Ended]
        assert link.id == "c1"
        assert bytes(link.stdout) == b"out\n"


def test_nothing_that_is_ready_is_nothing_that_came_and_nobody_waits(runtime: Runtime) -> None:
    with closing(asked(runtime, "/bin/sleep", "60")) as link:
        said_until(link, Started)
        assert ready_at(link, 0) == {}
        assert link.advance({}) is None
        link.signal(9)
        (ended,) = said_until(link, Ended)
        assert isinstance(ended, Ended) and os.WTERMSIG(ended.status) == 9
        assert link.passed_on == {9}


def test_two_runs_are_followed_by_one_loop_and_one_waits_for_what_the_other_wrote(runtime: Runtime) -> None:
    with ExitStack() as held:
        first, second = (held.enter_context(closing(asked(runtime, "/bin/cat", typed=Input()))) for _ in range(2))
        for link in (first, second):
            said_until(link, Started)
        first.type(b"to and fro\n")
        assert said_until(first, Output)
        second.type(bytes(first.stdout))
        assert said_until(second, Output)
        assert bytes(second.stdout) == b"to and fro\n"
        for link in (first, second):
            assert link.input is not None
            link.input.end()
            assert said_until(link, Ended)


def test_all_output_is_handed_out_and_the_first_of_it_kept(runtime: Runtime) -> None:
    size = OUTPUT_KEPT + 300_000
    with closing(asked(runtime, "/bin/sh", "-c", f"head -c {size} /dev/zero")) as link:
        said = said_until(link, Ended)
        assert sum(len(one.data) for one in said if isinstance(one, Output)) == size
        assert len(link.stdout) == OUTPUT_KEPT


def test_window_size_reaches_the_program(runtime: Runtime) -> None:
    script = "trap 'stty size; exit 4' WINCH; echo ready; while :; do sleep 0.05; done"
    with closing(asked(runtime, "/bin/sh", "-c", script, tty=True)) as link:
        said_until(link, Output)
        link.resize(11, 77)
        said_until(link, Ended)
        assert b"11 77" in link.stdout


def test_container_ends_with_its_link(runtime: Runtime) -> None:
    link = asked(runtime, "/bin/sleep", "60", typed=Input())
    said_until(link, Started)
    link.close()
    assert until(lambda: not runtime.ps(running=True))


def test_supervisor_that_goes_without_a_last_word_is_an_error() -> None:
    with closing(Link()) as link:
        link.ask(lambda _: False)  # nobody keeps the far end
        with pytest.raises(LauncherDied):
            link.advance(ready_at(link, 20))


# --- what is typed


def test_more_than_fits_goes_on_when_there_is_room_and_then_ends() -> None:
    keys, got = os.urandom(300_000), b""
    with closing(Input()) as typed:
        reader = os.dup(typed.far_end)
        typed.hand_over()
        typed.write(keys[:200_000])
        typed.write(keys[200_000:])
        typed.end()
        assert typed.is_behind
        while part := os.read(reader, 65536):
            got += part
            typed.advance(dict.fromkeys(typed.waits_for(), select.POLLOUT))
        os.close(reader)
    assert got == keys


def test_what_nobody_reads_any_more_is_dropped() -> None:
    with closing(Input()) as typed:
        typed.hand_over()
        typed.write(b"to nobody")
        assert (typed.waits_for(), typed.is_behind) == ({}, False)
        typed.write(b"nor this")


@pytest.mark.parametrize(("keys", "end"), [(b"line\n", b"\x04"), (b"half a line", b"\x04\x04"), (b"", b"\x04")])
def test_end_of_keys_is_a_key_too(keys: bytes, end: bytes) -> None:
    with closing(Input(keys=True)) as typed:
        reader = os.dup(typed.far_end)
        typed.write(keys)
        typed.end()
        assert os.read(reader, 4096) == keys + end
        assert os.read(reader, 4096) == b""
        os.close(reader)
