"""Ids, two-phase records and transitions."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from udock_lab.errors import Conflict, NotFound, UsageError
from udock_lab.linux.process import boot_id, start_ticks
from udock_lab.model import Record, Status
from udock_lab.runtime.state import containers, extras, ids, living, private
from udock_lab.runtime.state.home import Home


@pytest.fixture
def store(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.create()
    return home


def running(number: int, pid: int = 4_000_000) -> Record:
    return Record(id=f"c{number}", pid=pid, image="demo", status=Status.RUNNING, start_time="2026-01-02T03:04:05")


def append_as_another_program(home: Home, record: Record) -> None:
    """As the C original does: in place, without our lock."""
    with open(home.containers_db, "ab") as file:
        file.write(containers.format_record(record))


def db(home: Home) -> bytes:
    return Path(home.containers_db).read_bytes()


@pytest.mark.parametrize("typed", ["7", "C7", "c07"])
def test_what_nearly_is_an_id_names_the_id(typed: str) -> None:
    with pytest.raises(UsageError) as caught:
        containers.check_id(typed)
    assert "'c7'" in caught.value.hint


names = st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{0,20}", fullmatch=True)
records = st.builds(
    Record,
    id=st.integers(1, 10**9).map(lambda n: f"c{n}"),
    pid=st.integers(1, 1 << 22),
    image=names,
    status=st.sampled_from(Status),
    start_time=st.just("2026-01-02T03:04:05"),
    end_time=st.none() | st.just("2026-01-02T03:04:06"),
    exit_code=st.none() | st.integers(0, 255),
)


@given(record=records)
def test_record_survives_writing_and_reading(record: Record) -> None:
    line = containers.format_record(record)
    assert line.endswith(b"\n") and line.count(b"|") == 6
    assert containers.parse_record(line.rstrip(b"\n")) == record


@given(data=st.binary(max_size=80))
def test_any_bytes_are_a_record_or_none_and_never_an_error(data: bytes) -> None:
    containers.parse_record(data)


@given(fields=st.lists(st.text(max_size=8), min_size=7, max_size=7))
def test_any_seven_fields_are_a_record_or_none_and_never_an_error(fields: list[str]) -> None:
    containers.parse_record("|".join(fields).encode("utf-8", "replace"))


def test_running_record_has_two_empty_fields_at_its_end() -> None:
    assert containers.format_record(running(3)) == b"c3|4000000|demo|running|2026-01-02T03:04:05||\n"


@pytest.mark.parametrize(
    "line",
    [
        b"c1|12|demo|running|2026-01-02T03:04:05|-1|-1",
        b" c1 | 12 | demo | running | 2026-01-02T03:04:05 | -1 | -1 ",
        b"c1|12|demo|running|2026-01-02T03:04:05||",
    ],
)
def test_spellings_of_the_c_original_mean_the_same(line: bytes) -> None:
    record = containers.parse_record(line)
    assert record is not None
    assert (record.id, record.pid, record.end_time, record.exit_code) == ("c1", 12, None, None)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"c1",
        b"c0|1|demo|running|t||",
        b"c01|1|demo|running|t||",
        b"x1|1|demo|running|t||",
        b"c1|one|demo|running|t||",
        b"c1|-5|demo|running|t||",
        b"c1|1|demo|sleeping|t||",
        b"c1|1|demo|running|t||x",
        b"c1|1|demo|running|t|",
        b"c1|1|demo|running|t||0|more",
        b"c1|1|d\xffmo|running|t||",
        "c1|\u0661|demo|running|t||".encode(),
        "c\u0661|1|demo|running|t||".encode(),
    ],
)
def test_malformed_line_is_no_record(line: bytes) -> None:
    assert containers.parse_record(line) is None


@pytest.mark.parametrize(
    "text", ["", "c", "c0", "c01", "1", "C1", "c1 ", "c1\n", "c-1", "../c1", "c1|", "c\u0661", "\udcff"]
)
def test_malformed_id_is_refused_with_how_ids_look(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        containers.check_id(text)
    assert "c1, c2" in caught.value.hint


def test_ids_count_up_as_numbers_not_as_strings(store: Home) -> None:
    for number in (9, 10, 2):
        containers.begin(store, running(number))
    assert ids.allocate(store) == "c11"


def test_id_is_not_reused_after_its_record_is_gone(store: Home) -> None:
    assert ids.allocate(store) == "c1"
    containers.begin(store, running(1))
    private.discard(store, ["c1"])
    assert ids.allocate(store) == "c2"


def test_lost_mark_falls_back_on_the_file(store: Home) -> None:
    containers.begin(store, running(41))
    assert ids.allocate(store) == "c42"
    os.unlink(store.highest_id)
    assert ids.allocate(store) == "c42"


@pytest.mark.parametrize("junk", [b"", b"abc\n", b"\xff\xff", b"0" * 20])
def test_torn_mark_is_repaired(store: Home, junk: bytes) -> None:
    containers.begin(store, running(5))
    Path(store.highest_id).write_bytes(junk)
    assert ids.allocate(store) == "c6"
    assert ids.allocate(store) == "c7"


def test_allocation_sees_a_record_that_somebody_else_wrote(store: Home) -> None:
    assert ids.allocate(store) == "c1"
    containers.begin(store, running(1))
    assert ids.allocate(store) == "c2"
    assert ids.is_known(store)
    append_as_another_program(store, running(70))
    assert not ids.is_known(store)
    assert ids.allocate(store) == "c71"


def test_ids_inside_other_text_do_not_count(store: Home) -> None:
    Path(store.containers_db).write_bytes(b"xc900|junk\nnote c800|x\n c7 |1|demo|running|t|-1|-1\n")
    assert ids.allocate(store) == "c8"


def test_phase_two_fills_in_the_end_and_keeps_every_other_byte(store: Home) -> None:
    junk = b"not a record \xff\r\n"
    Path(store.containers_db).write_bytes(junk)
    containers.begin(store, running(1))
    containers.begin(store, running(11))
    after, old = containers.finish(store, "c1", 42, "2026-01-02T03:04:09")
    os.close(old)
    assert after is not None and after.exit_code == 42 and after.status is Status.EXITED
    assert db(store) == (
        junk
        + b"c1|4000000|demo|exited|2026-01-02T03:04:05|2026-01-02T03:04:09|42\n"
        + b"c11|4000000|demo|running|2026-01-02T03:04:05||\n"
    )


@pytest.mark.parametrize("intent", [Status.STOPPED, Status.KILLED])
def test_final_write_never_overwrites_what_stop_or_kill_wrote(store: Home, intent: Status) -> None:
    containers.begin(store, running(1))
    containers.set_intent(store, "c1", intent)
    after, old = containers.finish(store, "c1", 7, "t2")
    os.close(old)
    assert after is not None and (after.status, after.exit_code) == (intent, 7)
    again, old = containers.finish(store, "c1", 0, "t3")
    os.close(old)
    assert again == after


@pytest.mark.parametrize(
    ("intents", "killed", "status"),
    [
        ([], False, Status.EXITED),
        ([], True, Status.EXITED),
        ([Status.STOPPED], False, Status.STOPPED),
        ([Status.STOPPED], True, Status.KILLED),
        ([Status.KILLED], True, Status.KILLED),
        ([Status.KILLED], False, Status.EXITED),
        ([Status.STOPPED, Status.KILLED], False, Status.STOPPED),
        ([Status.KILLED, Status.STOPPED], True, Status.KILLED),
    ],
)
def test_record_says_what_came_of_an_intent(store: Home, intents: list[Status], killed: bool, status: Status) -> None:
    containers.begin(store, running(1))
    for intent in intents:
        containers.set_intent(store, "c1", intent)
    after, old = containers.finish(store, "c1", 137 if killed else 0, "t2", killed=killed)
    os.close(old)
    assert after is not None and after.status is status


def test_an_intent_that_is_taken_back_leaves_the_table_as_it_was(store: Home) -> None:
    containers.begin(store, running(1))
    table = db(store)
    before = containers.set_intent(store, "c1", Status.STOPPED)
    containers.take_back(store, "c1", Status.STOPPED, before)
    assert db(store) == table
    containers.set_intent(store, "c1", Status.STOPPED)
    containers.take_back(store, "c1", Status.KILLED, Status.RUNNING)  # somebody else's
    assert containers.find(store, "c1").status is Status.STOPPED


def test_intent_after_the_end_is_a_conflict_and_changes_nothing(store: Home) -> None:
    containers.begin(store, running(1))
    os.close(containers.finish(store, "c1", 0, "t2")[1])
    before = db(store)
    with pytest.raises(Conflict):
        containers.set_intent(store, "c1", Status.STOPPED)
    assert db(store) == before


def test_intent_for_nobody_is_not_found(store: Home) -> None:
    with pytest.raises(NotFound):
        containers.set_intent(store, "c1", Status.STOPPED)


def test_end_of_a_removed_record_is_nobody(store: Home) -> None:
    assert containers.finish(store, "c9", 0, "t") == (None, -1)


def test_discard_leaves_corrupt_lines_and_neighbours(store: Home) -> None:
    Path(store.containers_db).write_bytes(b"junk\nc1|bad\n")
    containers.begin(store, running(1))
    containers.begin(store, running(12))
    extras.save_extra(store, "c1", "spec", {})
    Path(store.container_log("c1")).write_bytes(b"x")
    private.discard(store, ["c1"])
    assert db(store) == b"junk\nc1|bad\n" + containers.format_record(running(12))
    assert os.listdir(store.containers_dir) == [] and os.listdir(store.logs_dir) == []


@pytest.mark.parametrize("blank", [" ", "\t", "\x1c", "\u00a0"])
def test_a_record_with_blanks_around_its_id_is_removed_as_any_other(store: Home, blank: str) -> None:
    line, after = f"{blank}c1{blank}| 12 | demo | exited | t | t | 0\n".encode(), b"c2|12|demo|exited|t|t|0\n"
    Path(store.containers_db).write_bytes(line + after)
    assert containers.find(store, "c1").id == "c1"
    containers.remove(store, {"c1"})
    assert db(store) == after


def test_discard_never_removes_a_folder_outside_the_home(store: Home, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    for folder in (str(precious), f"{store.run_dir}/../../precious"):
        containers.begin(store, running(1))
        extras.save_extra(store, "c1", "spec", {"private": folder})
        private.discard(store, ["c1"])
        assert precious.is_dir()


def test_find_says_what_to_type_when_there_is_no_such_container(store: Home) -> None:
    with pytest.raises(NotFound) as caught:
        containers.find(store, "c5")
    assert "mdock ps" in caught.value.hint


def test_find_takes_the_last_of_two_records(store: Home) -> None:
    containers.begin(store, running(1, 10))
    containers.begin(store, running(1, 20))
    assert containers.find(store, "c1").pid == 20


@pytest.mark.parametrize("torn", [b"", b"{", b"[1]", b"\xff", b'{"a": 1'])
def test_torn_extra_reads_as_empty(store: Home, torn: bytes) -> None:
    extras.save_extra(store, "c1", "spec", {"a": 1})
    assert extras.load_extra(store, "c1", "spec") == {"a": 1}
    Path(f"{store.container_dir('c1')}/spec.json").write_bytes(torn)
    assert extras.load_extra(store, "c1", "spec") == {}


def test_reused_pid_is_not_alive(store: Home) -> None:
    me, ticks = os.getpid(), start_ticks(os.getpid())
    assert ticks is not None
    record = running(1, me)
    identity: dict[str, object] = {"pid": me, "start_ticks": ticks, "boot_id": boot_id()}
    extras.save_extra(store, "c1", "spec", identity)
    assert living.is_alive(store, record)
    extras.save_extra(store, "c1", "spec", identity | {"start_ticks": ticks - 1})
    assert not living.is_alive(store, record)
    extras.save_extra(store, "c1", "spec", identity | {"boot_id": "another"})
    assert not living.is_alive(store, record)


def test_foreign_record_is_judged_by_pid_unless_the_process_began_later(store: Home) -> None:
    now = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(time.time() + 1))
    mine = Record(id="c1", pid=os.getpid(), image="demo", status=Status.RUNNING, start_time=now)
    assert living.is_alive(store, mine)
    assert not living.is_alive(store, running(1, os.getpid()))
    assert not living.is_alive(store, running(1, 1 << 22))
    assert not living.is_alive(store, running(1, 0))


def test_foreign_record_of_a_process_that_nobody_has_reaped_is_not_alive(store: Home) -> None:
    with subprocess.Popen(["true"]) as process:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        now = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(time.time() + 1))
        zombie = Record(id="c1", pid=process.pid, image="demo", status=Status.RUNNING, start_time=now)
        assert not living.is_alive(store, zombie)
