"""Reading a log: its last lines from its end, and what is added while somebody reads."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from udock_lab.runtime.logs import read_log

WHOLE = b"".join(b"line %d\n" % number for number in range(20_000))


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("logs") / "c1.log"


@given(
    data=st.lists(st.sampled_from([b"\n", b"a", b"\0", b"\xff", b"word "]), max_size=40).map(b"".join),
    count=st.integers(0, 12),
)
def test_the_tail_is_the_last_lines_whatever_they_hold(log: Path, data: bytes, count: int) -> None:
    log.write_bytes(data)
    lines = [line + b"\n" for line in data.split(b"\n")]
    lines[-1] = lines[-1][:-1]
    kept = [line for line in lines if line]
    assert b"".join(read_log(str(log), tail=count)) == b"".join(kept[max(0, len(kept) - count) :])


@pytest.mark.parametrize("count", [1, 7000, 19_999, 20_000, 20_001, 2**63 - 1])
def test_a_tail_longer_than_one_block_is_exact(log: Path, count: int) -> None:
    log.write_bytes(WHOLE)
    assert b"".join(read_log(str(log), tail=count)) == b"".join(WHOLE.splitlines(keepends=True)[-count:])


def test_a_log_that_is_missing_is_empty_and_is_read_when_it_appears(log: Path) -> None:
    log.unlink(missing_ok=True)
    assert list(read_log(str(log), tail=3)) == []
    looks = iter([False, False, True])

    def ended() -> bool:
        over = next(looks)
        if over:
            log.write_bytes(b"1\n2\n3\n4\n")
        return over

    assert b"".join(read_log(str(log), tail=3, ended=ended)) == b"2\n3\n4\n"


def test_what_was_written_before_the_end_is_read_though_the_log_was_removed(log: Path) -> None:
    log.write_bytes(b"begun\n")
    reader = read_log(str(log), ended=lambda: not log.exists())
    assert next(reader) == b"begun\n"
    with open(log, "ab") as file:
        file.write(b"done\n")
    log.unlink()
    assert list(reader) == [b"done\n"]


def test_a_long_log_is_not_held_in_memory(log: Path) -> None:
    log.touch()
    os.truncate(log, 200 << 20)
    code = (
        "import sys, resource; from udock_lab.runtime.logs import read_log\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "assert sum(map(len, read_log(sys.argv[1]))) == 200 << 20\n"
        "assert sum(map(len, read_log(sys.argv[1], tail=1))) == 200 << 20\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    grown = subprocess.run([sys.executable, "-c", code, str(log)], capture_output=True, text=True, check=True).stdout
    assert int(grown) * 1024 < 10 << 20
