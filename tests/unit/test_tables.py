"""Tables: appended, spliced and rewritten without touching a byte that is not meant."""

from __future__ import annotations

import errno
import fcntl
import os
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from udock_lab.errors import LockTimeout
from udock_lab.runtime.state import lock, tables
from udock_lab.runtime.state.home import Home

line = st.binary(max_size=60).map(lambda data: data.replace(b"\n", b"~"))


@pytest.fixture
def table(tmp_path: Path) -> str:
    return str(tmp_path / "table.db")


def contents(table: str) -> bytes:
    return Path(table).read_bytes()


def test_missing_table_has_no_lines(table: str) -> None:
    assert tables.read_lines(table) == []
    assert tables.replace_last_match(table, b"c1|", lambda old: old) is None
    tables.replace_lines(table, lambda old: None)
    assert not os.path.exists(table)


def test_append_closes_a_torn_last_line_instead_of_growing_it(table: str) -> None:
    Path(table).write_bytes(b"a|1\ntorn|by dea")
    tables.append_line(table, b"b|2\n")
    assert contents(table) == b"a|1\ntorn|by dea\nb|2\n"


def test_torn_last_line_is_read_and_kept(table: str) -> None:
    Path(table).write_bytes(b"a|1\ntorn")
    assert tables.read_lines(table) == [b"a|1", b"torn"]
    found = tables.replace_last_match(table, b"a|", lambda old: b"a|22")
    assert found is not None
    os.close(found[2])
    assert contents(table) == b"a|22\ntorn"


def test_append_cut_short_by_a_full_disk_is_taken_back(table: str, monkeypatch: pytest.MonkeyPatch) -> None:
    Path(table).write_bytes(b"a|1\n")
    real = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: real(fd, bytes(data)[:3]))
    with pytest.raises(OSError) as caught:
        tables.append_line(table, b"b|2 and more\n")
    assert caught.value.errno == errno.ENOSPC
    assert contents(table) == b"a|1\n"


def test_last_match_wins_when_an_id_stands_twice(table: str) -> None:
    Path(table).write_bytes(b"c1|old\nc2|x\nc1|new\nc11|y\n")
    found = tables.replace_last_match(table, b"c1|", lambda old: b"c1|changed")
    assert found is not None
    os.close(found[2])
    assert found[0] == b"c1|new"
    assert contents(table) == b"c1|old\nc2|x\nc1|changed\nc11|y\n"


def test_unchanged_line_leaves_the_very_same_file(table: str) -> None:
    Path(table).write_bytes(b"c1|x\n")
    before = os.stat(table).st_ino
    found = tables.replace_last_match(table, b"c1|", lambda old: old)
    assert found is not None
    os.close(found[2])
    assert os.stat(table).st_ino == before


def test_a_change_that_raises_leaves_table_and_folder_alone(table: str) -> None:
    Path(table).write_bytes(b"c1|x\nc2|y\n")

    def refuse(old: bytes) -> bytes:
        raise KeyError(old)

    with pytest.raises(KeyError):
        tables.replace_last_match(table, b"c2|", refuse)
    with pytest.raises(KeyError):
        tables.replace_lines(table, refuse)
    assert contents(table) == b"c1|x\nc2|y\n"
    assert os.listdir(os.path.dirname(table)) == ["table.db"]


def test_match_is_found_across_the_chunk_border(table: str) -> None:
    for filler in range(65520, 65550):
        data = b"c1|x\n" + b"z" * filler + b"\nc2|y\n"
        Path(table).write_bytes(data)
        found = tables.replace_last_match(table, b"c1|", lambda old: b"c1|longer")
        assert found is not None
        os.close(found[2])
        assert contents(table) == data.replace(b"c1|x", b"c1|longer")


@settings(max_examples=150)
@given(lines=st.lists(line, max_size=12), end=st.booleans(), new=line, index=st.integers(0, 11))
def test_splice_changes_one_line_and_no_other_byte(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], end: bool, new: bytes, index: int
) -> None:
    table = str(tmp_path_factory.getbasetemp() / "splice.db")
    lines = [b"other " + text for text in lines]
    lines.insert(min(index, len(lines)), b"c7|old")
    Path(table).write_bytes(b"\n".join(lines) + (b"\n" if end else b""))
    found = tables.replace_last_match(table, b"c7|", lambda old: b"c7|" + new)
    assert found is not None
    os.close(found[2])
    wanted = [b"c7|" + new if text == b"c7|old" else text for text in lines]
    assert contents(table) == b"\n".join(wanted) + (b"\n" if end else b"")


@settings(max_examples=150)
@given(data=st.binary(max_size=300))
def test_rewrite_that_keeps_every_line_keeps_every_byte(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    table = str(tmp_path_factory.getbasetemp() / "rewrite.db")
    Path(table).write_bytes(data)
    tables.replace_lines(table, lambda old: old)
    assert contents(table) == data
    tables.replace_lines(table, lambda old: None if old.startswith(b"c1|") else old)
    kept = [text for text in data.split(b"\n") if not text.startswith(b"c1|")]
    assert [text for text in contents(table).split(b"\n") if text] == [text for text in kept if text]


def test_reader_beside_a_rewriter_never_sees_half_a_table(table: str) -> None:
    Path(table).write_bytes(b"".join(b"c%d|%s\n" % (i, b"x" * 50) for i in range(1, 500)))
    stop = threading.Event()

    def rewrite() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            found = tables.replace_last_match(table, b"c250|", lambda old: b"c250|%d" % number)  # noqa: B023
            assert found is not None
            os.close(found[2])

    writer = threading.Thread(target=rewrite)
    writer.start()
    try:
        deadline = time.monotonic() + 0.5
        while time.monotonic() < deadline:
            assert len(tables.read_lines(table)) == 499
    finally:
        stop.set()
        writer.join()


def test_lock_held_by_another_open_file_times_out_with_the_holder_named(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.create()
    with open(home.lock, "w") as holder:
        fcntl.flock(holder, fcntl.LOCK_EX)
        with pytest.raises(LockTimeout) as caught, lock.locked(home, timeout=0.2):
            pass
    assert str(os.getpid()) in caught.value.message
    with lock.locked(home, timeout=0.2):
        assert lock.try_lock(home) is None


def test_lock_is_free_again_after_an_error_inside(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    with pytest.raises(ZeroDivisionError), lock.locked(home):
        1 / 0  # noqa: B018
    fd = lock.try_lock(home)
    assert fd is not None
    lock.release(fd)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("2.5", 2.5), ("0", 0.0), ("soon", 10.0), ("", 10.0), ("nan", 10.0), ("inf", 10.0), ("-1", 10.0)],
)
def test_lock_timeout_comes_from_the_environment(text: str, seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MDOCK_LOCK_TIMEOUT", text)
    assert lock.lock_timeout() == seconds
