"""Messages keep their borders, their bytes and their descriptors."""

from __future__ import annotations

import os
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from udock_lab.runtime.messages import decode, encode
from udock_lab.runtime.wire import DATAGRAM, pack, pair, receive, send, unpack


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
    assert decode(encode(words)) == words == unpack(pack(words))


@given(data=st.binary(max_size=30))
def test_any_file_name_survives(data: bytes) -> None:
    assert os.fsencode(unpack(pack(decode(encode(os.fsdecode(data)))))) == data
