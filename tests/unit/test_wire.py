"""Messages keep their borders, their bytes and their descriptors."""

from __future__ import annotations

import os
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from udock_lab.model.jsontext import from_json, to_json
from udock_lab.wire.framing import DATAGRAM, hang_up, pack, pair, receive, send, unpack


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


@pytest.mark.parametrize("size", [1, DATAGRAM - 1, DATAGRAM, DATAGRAM + 1, 3 << 20])
def test_message_of_any_size_arrives_whole_and_leaves_no_file_open(size: int) -> None:
    before = open_files()
    ours, theirs = pair()
    with closing(ours), closing(theirs):
        send(ours, b"x" * size)
        send(ours, b"next")
        assert receive(theirs) == (b"x" * size, [])
        assert receive(theirs) == (b"next", [])
    assert open_files() == before


@pytest.mark.parametrize("size", [10, 1 << 20])
def test_descriptors_travel_with_their_message_close_on_exec(size: int) -> None:
    read, write = os.pipe()
    ours, theirs = pair()
    with closing(ours), closing(theirs):
        send(ours, b"y" * size, [write])
        data, fds = receive(theirs)
    assert len(data) == size and len(fds) == 1 and not os.get_inheritable(fds[0])
    os.write(fds[0], b"hello")
    assert os.read(read, 9) == b"hello"
    for fd in (read, write, fds[0]):
        os.close(fd)


def test_closed_peer_reads_as_empty() -> None:
    ours, theirs = pair()
    ours.close()
    with closing(theirs):
        assert receive(theirs) == (b"", [])


@given(words=st.lists(st.text(st.characters(codec=None), max_size=20)))
def test_any_text_survives_even_bytes_that_are_no_utf8(words: list[str]) -> None:
    assert from_json(to_json(words)) == words == unpack(pack(words))


@given(data=st.binary(max_size=30))
def test_any_file_name_survives(data: bytes) -> None:
    assert os.fsencode(unpack(pack(from_json(to_json(os.fsdecode(data)))))) == data


def test_last_words_of_a_side_that_closed_with_something_unread_are_heard() -> None:
    ours, theirs = pair()
    with closing(ours):
        with closing(theirs):
            send(theirs, b"ended")
            send(theirs, b"x" * (DATAGRAM + 1))
            send(ours, b"a key")
        assert receive(ours)[0] == b"ended"
        assert len(receive(ours)[0]) == DATAGRAM + 1
        assert receive(ours) == (b"", [])


@pytest.mark.parametrize("blocking", [True, False])
def test_side_that_hangs_up_resets_nothing_and_leaves_no_file_open(blocking: bool) -> None:
    before = open_files()
    ours, theirs = pair()
    with closing(ours):
        send(theirs, b"ended")
        send(ours, b"a key")
        send(ours, b"a file", [0])
        theirs.setblocking(blocking)
        hang_up(theirs)
        assert ours.recv(100) == b"ended"  # once, and without a word of a reset
        assert ours.recv(100) == b""
        with pytest.raises(BrokenPipeError):
            send(ours, b"a key")
    assert open_files() == before
