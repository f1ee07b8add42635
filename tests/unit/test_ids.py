"""Ids are new whoever writes to the table, and a table that is known is not read again."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from udock_lab.model import Record, Status
from udock_lab.runtime.state import containers, ids, private
from udock_lab.runtime.state.home import Home
from udock_lab.runtime.state.lock import locked


@pytest.fixture
def store(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.create()
    return home


def line(number: int) -> bytes:
    return b"c%d|4000000|demo|running|2026-01-02T03:04:05||\n" % number


def begin(home: Home) -> str:
    """What a run does first: an id, and its record."""
    new = ids.allocate(home)
    containers.begin(
        home, Record(id=new, pid=4_000_000, image="demo", status=Status.RUNNING, start_time="2026-01-02T03:04:05")
    )
    return new


def finish(home: Home, container_id: str) -> None:
    old = containers.finish(home, container_id, 0, "2026-01-02T03:04:06")[1]
    if old >= 0:
        os.close(old)


def stop_and_take_back(home: Home) -> None:
    before = containers.set_intent(home, "c2", Status.STOPPED)
    containers.take_back(home, "c2", Status.STOPPED, before)


def append(home: Home, data: bytes) -> None:
    """As another program does, which knows nothing of our lock."""
    with open(home.containers_db, "ab") as file:
        file.write(data)


def write_at(home: Home, place: int, data: bytes) -> None:
    with open(home.containers_db, "r+b", buffering=0) as file:
        file.seek(place)
        file.write(data)


def bytes_read(act: Callable[[], object]) -> int:
    """How many bytes this process read for it (rchar, proc_pid_io(5))."""

    def so_far() -> int:
        return int(Path("/proc/self/io").read_text().split()[1])

    start = so_far()
    cost = so_far() - start
    start = so_far()
    act()
    return so_far() - start - cost


WRITES: dict[str, Callable[[Home], object]] = {
    "another run": begin,
    "an end": lambda home: finish(home, "c2"),
    "a stop": lambda home: containers.set_intent(home, "c2", Status.STOPPED),
    "a stop that is taken back": stop_and_take_back,
    "a removal": lambda home: private.discard(home, ["c2"]),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_a_run_after_another_writers_change_does_not_read_the_table(
    store: Home, write: Callable[[Home], object]
) -> None:
    Path(store.containers_db).write_bytes(b"".join(map(line, range(1, 10_001))))
    ids.allocate(store)
    write(store)
    assert ids.is_known(store)
    assert bytes_read(lambda: begin(store)) < 2_000


def test_a_table_that_another_program_wrote_is_read_once(store: Home) -> None:
    append(store, b"".join(map(line, range(1, 10_001))))
    size = os.stat(store.containers_db).st_size
    assert bytes_read(lambda: begin(store)) >= size
    assert bytes_read(lambda: begin(store)) < 2_000


def test_an_edit_of_the_same_length_right_after_our_write_is_seen(store: Home) -> None:
    """Within one tick of the kernel's clock, whose time both writes have unless the file system knows better."""
    for number in range(10, 99):
        Path(store.containers_db).unlink(missing_ok=True)
        Path(store.highest_id).write_bytes(b"%d\n" % (number - 1))
        Path(store.known_table).unlink(missing_ok=True)
        begin(store)
        begin(store)
        write_at(store, 0, b"c99")
        assert not ids.is_known(store)
    assert begin(store) == "c100"


def test_what_is_appended_between_our_look_and_our_write_is_seen(store: Home) -> None:
    begin(store)
    new = ids.allocate(store)
    append(store, line(700))
    containers.begin(
        store, Record(id=new, pid=1, image="demo", status=Status.RUNNING, start_time="2026-01-02T03:04:05")
    )
    assert ids.allocate(store) == "c701"


def test_an_id_that_another_program_gave_out_is_not_given_out_again_after_its_removal(store: Home) -> None:
    begin(store)
    append(store, line(50))
    private.discard(store, ["c50"])
    assert ids.allocate(store) == "c51"


def test_a_copied_home_with_another_table_under_the_same_mark_is_read(store: Home, tmp_path: Path) -> None:
    begin(store)
    beside = tmp_path / "beside"
    beside.write_bytes(line(7))  # of the same length
    os.utime(beside, ns=(0, os.stat(store.containers_db).st_mtime_ns))
    os.rename(beside, store.containers_db)
    assert ids.allocate(store) == "c8"


@pytest.mark.parametrize(
    "torn", [b"", b"1 2 3 4 5\n", b"\xff" * 105, b"0" * 105, b"%020d %020d %020d %020d" % (0, 0, 0, 0), b"x" * 200]
)
def test_a_damaged_note_on_the_table_makes_it_be_read(store: Home, torn: bytes) -> None:
    Path(store.containers_db).write_bytes(line(5))
    Path(store.known_table).write_bytes(torn)
    assert ids.allocate(store) == "c6"
    Path(store.highest_id).unlink()
    assert ids.allocate(store) == "c6"


def test_a_clock_that_was_set_back_repeats_no_id(store: Home) -> None:
    begin(store)
    later = os.stat(store.containers_db).st_mtime_ns + 3_600 * 10**9
    os.utime(store.containers_db, ns=(later, later))  # as if all so far had been written an hour from now
    assert begin(store) == "c2"
    append(store, line(9))
    os.utime(store.containers_db, ns=(later, later))
    assert begin(store) == "c10"


steps = st.sampled_from(
    ["run", "run", "run", "end", "remove", "append", "edit", "rewrite", "replace", "truncate", "lose mark", "lose note"]
)


@settings(max_examples=80)
@given(story=st.lists(steps, max_size=25))
def test_every_id_is_new_whatever_other_programs_do_between_two_runs(
    tmp_path_factory: pytest.TempPathFactory, story: list[str]
) -> None:
    home = Home(tmp_path_factory.mktemp("story"))
    home.create()
    table, given_out = Path(home.containers_db), [0]
    for number, step in enumerate(story):
        there = [int(record.id[1:]) for record in containers.read_all(home)[0]]
        if step == "run":
            new = int(begin(home)[1:])
            assert new not in there and new > max(given_out)
            given_out.append(new)
        elif step == "end" and there:
            finish(home, f"c{there[-1]}")
        elif step == "remove" and there:
            private.discard(home, [f"c{there[0]}"])
            given_out.append(there[0])
        elif step == "append":
            append(home, line(max(given_out + there) + number))
        elif step == "edit" and there:
            write_at(home, 0, b"c" + b"9" * len(str(there[0])))
        elif step == "rewrite" and there:
            table.write_bytes(b"".join(map(line, reversed(there))))
        elif step == "replace" and there:
            beside = table.with_name("beside")
            beside.write_bytes(b"".join(line(one + 1) for one in there))
            os.rename(beside, table)
        elif step == "truncate" and there:
            os.truncate(table, 0)
        elif step in ("lose mark", "lose note"):
            lost = Path(home.highest_id if step == "lose mark" else home.known_table)
            if ids.is_known(home):  # the one makes up for the other
                lost.unlink(missing_ok=True)


WRITER = """
import sys
from udock_lab.model import Record, Status
from udock_lab.runtime.state import containers, ids, private
from udock_lab.runtime.state.home import Home
from udock_lab.runtime.state.lock import locked
import os
home = Home(sys.argv[1])
for number in range(40):
    with locked(home, timeout=60):
        new = ids.allocate(home)
        record = Record(id=new, pid=4000000, image="demo", status=Status.RUNNING, start_time="2026-01-02T03:04:05")
        containers.begin(home, record)
        print(new, flush=True)
    if number % 3 == 0:
        with locked(home, timeout=60):
            old = containers.finish(home, new, 0, "2026-01-02T03:04:06")[1]
            os.close(old)
    if number % 5 == 0:
        with locked(home, timeout=60):
            private.discard(home, [new])
"""
STRANGER = """
import sys, time
for number in range(1, 30):
    with open(sys.argv[1], "ab") as file:
        file.write(b"c%d|4000000|demo|running|2026-01-02T03:04:05||\\n" % (number * 1000))
    time.sleep(0.005)
"""


def test_three_writers_and_a_program_that_takes_no_lock_never_share_an_id(store: Home) -> None:
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, store.path], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    stranger = subprocess.Popen([sys.executable, "-c", STRANGER, store.containers_db])
    told = [int(word[1:]) for writer in writers for word in writer.communicate(timeout=100)[0].split()]
    assert stranger.wait(timeout=100) == 0 and [writer.returncode for writer in writers] == [0, 0, 0]
    assert len(told) == 120 and len({*told, *range(1000, 30_000, 1000)}) == 120 + 29
    append(store, line(30_000))  # what it wrote in the moment of a rename is lost to everybody: nobody sees that id
    with locked(store):
        assert int(ids.allocate(store)[1:]) > 30_000


TWICE_IN_A_TICK = """
import os, sys
from udock_lab.runtime.state.tables import fingerprint, stamp
seen = [0, 0]
for number in range(100):
    for stamped in (False, True):
        fd = os.open(sys.argv[1] + "/file", os.O_RDWR | os.O_CREAT)
        os.pwrite(fd, b"first", 0)
        before = fingerprint(stamp(fd) if stamped else os.fstat(fd))
        os.pwrite(fd, b"other", 0)
        seen[stamped] += before != fingerprint(os.fstat(fd))
        os.close(fd)
print(*seen)
"""


def test_a_stamp_tells_two_writes_of_one_tick_apart_where_the_file_system_does_not(tmp_path: Path) -> None:
    """ramfs has nothing but the kernel's ticks; ext4, xfs, btrfs and tmpfs know better from Linux 6.13 on."""
    script = 'mount -t ramfs none "$1" && exec "$2" -c "$3" "$1"'
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    words = ["unshare", *user, "--mount", "sh", "-c", script, "sh", tmp_path, sys.executable, TWICE_IN_A_TICK]
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"no ramfs can be mounted here: {done.stderr.strip()}")
    plain, stamped = map(int, done.stdout.split())
    assert plain < 100 and stamped == 100
