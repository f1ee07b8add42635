"""Who is not trusted may send anything: it is bounded, nothing of it is kept, and the kernel names the sender."""

from __future__ import annotations

import array
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from udock_lab.wire.framing import DATAGRAM, SPILL, send
from udock_lab.wire.hearing import MOST, hear, hear_bytes, open_channel

Channel = tuple[socket.socket, socket.socket]


@pytest.fixture
def channel() -> Iterator[Channel]:
    """Our end, and the end of whoever is not trusted; afterwards no descriptor is left over."""
    ours, theirs = open_channel()
    before = len(os.listdir("/proc/self/fd"))
    with closing(ours), closing(theirs):
        yield ours, theirs
        assert len(os.listdir("/proc/self/fd")) == before


def send_with(sock: socket.socket, data: bytes, fds: list[int]) -> None:
    sock.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))])


@pytest.mark.parametrize("size", [1, DATAGRAM, DATAGRAM + 1, 1 << 20])
def test_message_of_any_size_is_heard_with_the_pid_of_its_sender(channel: Channel, size: int) -> None:
    ours, theirs = channel
    send(theirs, b"x" * size)
    assert hear(ours) == (b"x" * size, os.getpid())


def test_child_that_inherited_the_socket_is_named_by_its_own_pid(channel: Channel) -> None:
    ours, theirs = channel
    code = f"import socket; socket.socket(fileno={theirs.fileno()}).send(b'it is me')"
    with subprocess.Popen([sys.executable, "-c", code], pass_fds=[theirs.fileno()]) as child:
        child.wait()
        assert hear(ours) == (b"it is me", child.pid)


def test_nothing_there_is_an_error_and_the_end_has_no_pid(channel: Channel) -> None:
    ours, theirs = channel
    with pytest.raises(BlockingIOError):
        hear(ours)
    theirs.send(b"")
    assert hear(ours) == (b"", os.getpid())
    theirs.shutdown(socket.SHUT_RDWR)
    assert hear(ours) == (b"", 0)


def test_last_words_of_a_side_that_closed_with_something_unread_are_heard() -> None:
    ours, theirs = open_channel()
    with closing(ours):
        with closing(theirs):
            theirs.send(b"last")
            ours.send(b"unread")
        assert hear(ours) == (b"last", os.getpid())
        assert hear(ours) == (b"", 0)


def test_file_that_another_process_could_serve_is_not_read(channel: Channel, tmp_path: Path) -> None:
    ours, theirs = channel
    read, write = os.pipe()
    folder = os.open(tmp_path, os.O_RDONLY)
    proc = os.open("/proc/self/status", os.O_RDONLY)
    for fd in (read, folder, proc):
        send_with(theirs, SPILL, [fd])
        assert hear(ours) == (b"", os.getpid())
    for fd in (read, write, folder, proc):
        os.close(fd)


@pytest.mark.parametrize(("size", "heard"), [(MOST, MOST), (MOST + 1, 0), (1 << 40, 0)])
def test_message_beyond_the_bound_is_junk(channel: Channel, size: int, heard: int) -> None:
    ours, theirs = channel
    memory = os.memfd_create("large")
    os.ftruncate(memory, size)
    send_with(theirs, SPILL, [memory])
    os.close(memory)
    data, pid = hear(ours)
    assert (len(data), pid) == (heard, os.getpid())


def test_memory_that_may_only_be_written_is_junk(channel: Channel) -> None:
    ours, theirs = channel
    memory = os.memfd_create("closed")
    os.write(memory, b"x")
    writable = os.open(f"/proc/self/fd/{memory}", os.O_WRONLY)
    send_with(theirs, SPILL, [writable])
    os.close(memory)
    os.close(writable)
    assert hear(ours) == (b"", os.getpid())


def test_descriptors_that_nobody_asked_for_are_not_kept(channel: Channel) -> None:
    ours, theirs = channel
    for _ in range(20):
        send_with(theirs, b"look", [0] * 200)
        assert hear(ours) == (b"look", os.getpid())


def test_output_is_heard_as_it_is_and_no_message_is_made_of_it() -> None:
    ours, theirs = open_channel(socket.SOCK_STREAM)
    with closing(ours), closing(theirs):
        memory = os.memfd_create("spilt")
        os.write(memory, b"not this")
        before = len(os.listdir("/proc/self/fd"))
        send_with(theirs, SPILL, [memory])
        assert hear_bytes(ours, 100) == (SPILL, os.getpid())
        assert len(os.listdir("/proc/self/fd")) == before
        os.close(memory)
