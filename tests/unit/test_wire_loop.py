"""One loop: everything is served once it is due, in a known order, and nothing that was forgotten is."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Callable, Iterator

import pytest

from udock_lab.wire.framing import pair, receive
from udock_lab.wire.loop import READABLE, WRITABLE, Loop
from udock_lab.wire.outbox import Outbox


@pytest.fixture
def pipes() -> Iterator[list[tuple[int, int]]]:
    made = [os.pipe() for _ in range(3)]
    yield made
    for end in (end for ends in made for end in ends):
        try:
            os.close(end)
        except OSError:
            continue


def reader(seen: list[object], fd: int) -> Callable[[int], None]:
    return lambda _: seen.append(os.read(fd, 100))


def test_ends_are_served_in_the_order_of_their_registration(pipes: list[tuple[int, int]]) -> None:
    loop, seen = Loop(), list[object]()
    for read, _ in reversed(pipes):
        loop.watch(read, reader(seen, read))
    for number, (_, write) in enumerate(pipes):
        os.write(write, b"%d" % number)
    assert loop.turn(0)
    assert seen == [b"2", b"1", b"0"]
    assert not loop.turn(0)


def test_two_ends_of_one_rank_are_served_in_the_order_in_which_something_came(pipes: list[tuple[int, int]]) -> None:
    loop, seen = Loop(), list[object]()
    (stdout, write), (stderr, complain), (later, write_late) = pipes
    loop.watch(stdout, reader(seen, stdout))
    loop.watch(later, reader(seen, later))
    loop.watch(stderr, reader(seen, stderr), beside=stdout)
    os.write(write_late, b"late")
    os.write(complain, b"first")
    os.write(write, b"second")
    assert loop.turn(0)
    assert seen == [b"first", b"second", b"late"]


def test_end_that_another_handler_forgot_in_the_same_turn_is_not_served(pipes: list[tuple[int, int]]) -> None:
    loop, seen = Loop(), list[object]()
    (first, tell_first), (second, tell_second), _ = pipes
    loop.watch(first, lambda _: loop.forget(second))
    loop.watch(second, reader(seen, second))
    os.write(tell_first, b"x")
    os.write(tell_second, b"x")
    loop.turn(0)
    assert seen == []


def test_new_end_with_an_old_number_does_not_get_the_old_one_s_events(pipes: list[tuple[int, int]]) -> None:
    loop, seen = Loop(), list[object]()
    (first, tell_first), (second, tell_second), (third, _) = pipes

    def replace_second(_: int) -> None:
        loop.close(second)
        assert os.dup2(third, second) == second
        loop.watch(second, seen.append)

    loop.watch(first, replace_second)
    loop.watch(second, reader(seen, second))
    os.write(tell_first, b"x")
    os.write(tell_second, b"x")
    loop.turn(0)
    assert seen == []


def test_far_end_that_is_gone_is_told_until_it_is_closed(pipes: list[tuple[int, int]]) -> None:
    loop, seen = Loop(), list[int]()
    read, write = pipes[0]
    loop.watch(read, seen.append)
    os.close(write)
    loop.turn(0)
    loop.turn(0)
    assert [events & select.EPOLLHUP for events in seen] == [select.EPOLLHUP] * 2
    loop.close(read)
    loop.close(read)
    assert not loop.turn(0)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(read)


def test_paused_end_keeps_what_came_meanwhile(pipes: list[tuple[int, int]]) -> None:
    loop, seen = Loop(), list[object]()
    read, write = pipes[0]
    loop.watch(read, reader(seen, read))
    for _ in range(2):
        loop.pause(read)
    os.write(write, b"x")
    assert not loop.turn(0)
    for _ in range(2):
        loop.resume(read)
    assert loop.turn(0)
    assert seen == [b"x"]
    loop.pause(read)
    loop.forget(read)
    loop.watch(read, reader(seen, read))  # as anew


def test_room_to_write_is_told_only_where_it_was_asked_for() -> None:
    loop, seen = Loop(), list[int]()
    ours, theirs = pair()
    loop.watch(ours, seen.append)
    assert not loop.turn(0)
    loop.change(ours, READABLE | WRITABLE)
    loop.turn(0)
    loop.change(ours, READABLE)
    assert not loop.turn(0)
    assert seen == [WRITABLE]
    loop.close(ours)
    theirs.close()


def test_moments_come_in_their_order_and_not_before(pipes: list[tuple[int, int]]) -> None:
    loop, seen = Loop(), list[str]()
    start = time.monotonic()
    loop.later(0.02, lambda: seen.append("second"))
    loop.later(0.01, lambda: seen.append("first"))
    loop.later(0.01, lambda: seen.append("first, asked for later"))
    loop.later(60, lambda: seen.append("never"))
    while len(seen) < 3:
        assert loop.turn()
    assert time.monotonic() >= start + 0.02
    assert seen == ["first", "first, asked for later", "second"]


def test_cancelled_moment_does_not_come_and_does_not_end_a_wait() -> None:
    loop, seen = Loop(), list[str]()
    loop.later(0, lambda: seen.append("cancelled")).cancel()
    loop.later(0.01, lambda: seen.append("due"))
    assert loop.turn()
    assert seen == ["due"]
    assert not loop.turn(0)


def test_moment_that_asks_for_itself_again_does_not_keep_others_waiting(pipes: list[tuple[int, int]]) -> None:
    loop, seen = Loop(), list[object]()
    read, write = pipes[0]

    def again() -> None:
        seen.append("again")
        loop.later(0, again)

    loop.later(0, again)
    loop.watch(read, reader(seen, read))
    loop.turn(0)
    os.write(write, b"x")
    loop.turn(0)
    assert seen == ["again", b"x", "again"]


# --- the outbox


def framed(author: object, data: bytes) -> bytes:
    return f"{author}: ".encode() + data


def full_box() -> tuple[Outbox, object, list[bytes]]:
    """An outbox whose reader takes nothing now, and what lies in the reader's queue."""
    ours, theirs = pair()
    ours.setblocking(False)
    before = []
    try:
        while True:
            ours.send(b"before")
            before.append(b"before")
    except BlockingIOError:
        pass
    return Outbox(ours, framed, room=100), theirs, before


def test_outputs_of_one_author_become_one_message_and_messages_keep_their_order() -> None:
    box, theirs, before = full_box()
    box.add("child 1", b"a")
    box.add("child 1", b"b")
    box.add("parent", b"c")
    box.tell(b"whole")
    box.tell(b"as they are")
    box.add("parent", b"d")
    assert box.flush(), "the reader is there"
    assert [receive(theirs)[0] for _ in before] == before  # type: ignore[arg-type]
    assert box.flush()
    box.sock.close()
    came = []
    while data := receive(theirs)[0]:  # type: ignore[arg-type]
        came.append(data)
    assert came == [b"child 1: ab", b"parent: c", b"whole", b"as they are", b"parent: d"]
    assert box.size == 0


def test_box_is_full_until_its_reader_has_caught_up() -> None:
    box, theirs, before = full_box()
    box.add("parent", bytes(100))
    assert not box.is_full
    box.add("parent", b"x")
    assert box.flush()
    assert box.is_full
    for _ in before:
        receive(theirs)  # type: ignore[arg-type]
    assert box.flush()
    assert not box.is_full


def test_box_without_a_reader_is_emptied_and_says_so() -> None:
    box, theirs, _ = full_box()
    theirs.close()  # type: ignore[attr-defined]
    box.add("parent", bytes(200))
    assert not box.flush()
    assert not box.is_full
    assert not box.deliver() or box.size == 0
