"""Reading a log: its last lines from its end, and what is added while somebody reads."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from udock_lab import Runtime
from udock_lab.runtime.state.logs import read_log

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
        "import sys, resource; from udock_lab.runtime.state.logs import read_log\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "assert sum(map(len, read_log(sys.argv[1]))) == 200 << 20\n"
        "assert sum(map(len, read_log(sys.argv[1], tail=1))) == 200 << 20\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    grown = subprocess.run([sys.executable, "-c", code, str(log)], capture_output=True, text=True, check=True).stdout
    assert int(grown) * 1024 < 10 << 20


def _followed(log: Path, *changes: Callable[[], object]) -> bytes:
    """What a follower sees who was at the log's end before each of the changes, and reads on after the last."""
    left = [None, *changes]

    def ended() -> bool:
        change = left.pop(0)
        if change is not None:
            change()
        return not left

    return b"".join(read_log(str(log), ended=ended))


def test_follower_of_a_log_that_is_emptied_reads_on_from_its_beginning(log: Path) -> None:
    log.write_bytes(b"one\ntwo\n")
    seen = _followed(log, lambda: log.write_bytes(b""), lambda: log.write_bytes(b"a\n"), lambda: append(log, b"b\n"))
    assert seen == b"one\ntwo\na\nb\n"


@pytest.mark.parametrize("anew", [b"a\n", b"ab one\n", b"three\nfour\n", b"x" * 200_000])
def test_follower_loses_nothing_where_the_log_was_emptied_and_has_grown_in_one_instant(log: Path, anew: bytes) -> None:
    log.write_bytes(b"one\ntwo\n")
    assert _followed(log, lambda: log.write_bytes(anew)) == b"one\ntwo\n" + anew


def test_follower_of_a_log_that_was_moved_away_reads_both(log: Path) -> None:
    log.write_bytes(b"one\n")
    old = log.with_name("moved")

    def rotate() -> None:
        log.rename(old)
        append(old, b"its writer knows nothing of it\n")
        log.write_bytes(b"new\n")

    seen = _followed(log, rotate, lambda: append(old, b"last\n"), lambda: append(log, b"newer\n"))
    assert seen == b"one\nits writer knows nothing of it\nnew\nlast\nnewer\n"


def append(log: Path, data: bytes) -> None:
    with open(log, "ab") as file:
        file.write(data)


def test_logs_dash_f_goes_on_where_the_log_of_a_running_container_is_emptied(runtime: Runtime) -> None:
    script = "trap 'echo three; exit 0' TERM; echo one; echo two; while :; do sleep 0.05; done"
    name = runtime.run("demo", ["/bin/sh", "-c", script], detach=True).id
    mdock = [sys.executable, "-m", "udock_lab.cli"]
    with subprocess.Popen([*mdock, "logs", "-f", name], stdout=subprocess.PIPE, env=dict(os.environ)) as follower:
        assert follower.stdout is not None
        assert [follower.stdout.readline() for _ in range(2)] == [b"one\n", b"two\n"]
        os.truncate(runtime.inspect(name).data["log"], 0)  # type: ignore[arg-type]
        runtime.stop(name)
        assert follower.stdout.read().endswith(b"three\n")  # before it the shell may say what became of its sleep


def test_logs_dash_f_ends_when_nobody_reads_any_more_though_the_container_is_silent(runtime: Runtime) -> None:
    name = runtime.run("demo", ["/bin/sh", "-c", "echo ready; sleep 1000"], detach=True).id
    mdock = f"{sys.executable} -m udock_lab.cli logs -f {name}"
    script = f"{mdock} | head -n 1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=60)
    assert done.stdout == "ready\n141\n", done.stderr  # as a program that SIGPIPE ended
    assert runtime.ps(running=True)
    runtime.kill(name)
