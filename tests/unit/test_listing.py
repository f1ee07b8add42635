"""``ps`` chooses first and looks afterwards: the same containers as before, and no file of any other."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opening import opened

from udock_lab import Runtime
from udock_lab.cli import main
from udock_lab.model import Record, Status
from udock_lab.runtime.state import containers, extras, private
from udock_lab.runtime.state.home import Home
from udock_lab.runtime.state.listing import Choice, Listing, Standing

NOBODY = 4_000_000  # a pid that no process has


def record(number: int, status: Status = Status.EXITED, image: str = "demo") -> Record:
    ended = status is not Status.RUNNING
    return Record(
        id=f"c{number}",
        pid=NOBODY,
        image=image,
        status=status,
        start_time="2026-01-02T03:04:05",
        end_time="2026-01-02T03:04:06" if ended else None,
        exit_code=number % 3 if ended else None,
    )


@pytest.fixture
def full(home: Path) -> Runtime:
    """c1 to c50: every tenth is orphaned, every fourth is of another image; all but c7 have files of their own."""
    runtime = Runtime(home)
    runtime.home.create()
    for number in range(1, 51):
        status = Status.RUNNING if number % 10 == 0 else Status.EXITED
        containers.begin(runtime.home, record(number, status, "demo" if number % 4 else "other"))
        if number != 7:
            extras.save_extra(runtime.home, f"c{number}", "spec", {"argv": ["/bin/echo", str(number)]})
            steps = {"reports": [[1, 0, 1, 2]], "steps": ['chroot("/x")']}
            extras.save_extra(runtime.home, f"c{number}", "steps", steps)
    return runtime


ORPHANS = {10, 20, 30, 40, 50}


@pytest.mark.parametrize(
    ("words", "shown", "looked_at"),
    [
        ("-q", {*range(1, 51)}, set()),
        ("-q --filter ancestor=other", {*range(4, 51, 4)}, set()),
        ("-q --last 3", {48, 49, 50}, set()),
        ("-q --filter status=exited --filter ancestor=other", {*range(4, 51, 4)}, {20, 40}),
        ("-q --filter exited=1 --filter since=c45", {46, 49}, {50}),
        ("--running", set(), ORPHANS),
        ("--filter id=c3", {3}, {3}),
        ("--filter id=c10", {10}, {10}),
        ("--filter name=c2$", {2}, {2}),
        ("--filter before=c5", {1, 2, 3, 4}, {1, 2, 3, 4}),
        ("--last 2", {49, 50}, {49, 50}),
        ("--latest --filter status=exited --filter ancestor=demo", {50}, {50}),
        ("--latest --filter exited=0", {48}, {48, 50}),
        ("--filter id=c3 --format {{.ID}}", {3}, {3}),
        ("--filter id=c7", {7}, set()),
    ],
)
def test_ps_looks_at_no_container_that_its_record_rules_out(
    full: Runtime, capfd: pytest.CaptureFixture[str], words: str, shown: set[int], looked_at: set[int]
) -> None:
    with opened() as paths:
        assert main(["ps", *words.split()]) == 0
    found = {int(name) for name in re.findall(r"^c(\d+)\b", capfd.readouterr().out, re.MULTILINE)}
    assert found == shown
    assert {int(path.split("/c")[-1].split("/")[0]) for path in paths if "/containers/c" in path} == looked_at
    assert looked_at & ORPHANS or not any(path.startswith("/proc/4") for path in paths)


def test_isolation_is_read_where_it_is_asked_for(full: Runtime, capfd: pytest.CaptureFixture[str]) -> None:
    assert [one.isolation.value for one in full.ps() if one.isolation] == ["chroot"] * 49
    assert main(["ps", "--filter", "id=c3", "--format", "{{.Isolation}} {{.Command}}"]) == 0
    assert capfd.readouterr().out == "chroot /bin/echo 3\n"


def test_completion_knows_the_ids_without_a_look(full: Runtime) -> None:
    with opened() as paths:
        assert full.ids() == [f"c{number}" for number in range(1, 51)]
        assert full.ids(Choice(last=2)) == ["c49", "c50"]
    assert {*paths} == {full.home.containers_db}


def naive(records: list[Record], choice: Choice, look: Callable[[Record], Standing]) -> list[Standing]:
    """Everything is looked at, and chosen from afterwards."""
    found = [look(one) for one in records]
    if choice.running:
        found = [one for one in found if one.alive]
    found = [one for one in found if choice.of_record is None or choice.of_record(one.record)]
    found = [one for one in found if choice.of_standing is None or choice.of_standing(one)]
    if choice.last is None:
        return found
    return sorted(found, key=lambda one: int(one.id[1:]))[-choice.last :]


def look(record: Record) -> Standing:
    """A process lives if its record says so and its number is even."""
    if containers.has_ended(record):
        return Standing(record, record.status.value)
    alive = int(record.id[1:]) % 2 == 0
    return Standing(record, "running" if alive else "exited (orphaned)", alive=alive)


@given(
    records=st.lists(st.builds(record, st.integers(1, 30), st.sampled_from(Status), st.sampled_from(["a", "b"]))),
    running=st.booleans(),
    image=st.sampled_from(["a", "b", None]),
    state=st.sampled_from(["exited", "running", "stopped", None]),
    last=st.none() | st.integers(1, 5),
)
def test_choosing_first_finds_what_looking_first_finds(
    records: list[Record], running: bool, image: str | None, state: str | None, last: int | None
) -> None:
    choice = Choice(
        running=running,
        of_record=(lambda one: one.image == image) if image else None,
        of_standing=(lambda one: state in one.state) if state else None,
        last=last,
    )
    listing = Listing("/nowhere", lambda: records, look)
    found, wanted = listing.standings(choice), naive(records, choice, look)
    assert [(one.record, one.state) for one in found] == [(one.record, one.state) for one in wanted]
    assert listing.ids(choice) == [one.id for one in wanted]


def test_what_ends_or_goes_between_the_table_and_its_process_is_no_orphan(home: Path) -> None:
    store = Home(home)
    store.create()
    for number in (1, 2, 3):
        containers.begin(store, record(number, Status.RUNNING))

    def look_too_late(one: Record) -> Standing:
        if one.id == "c1" and one.end_time is None:
            os.close(containers.finish(store, "c1", 5, "2026-01-02T03:04:09")[1])
            private.discard(store, ["c2"])
        return Standing(one, one.status.value if one.end_time else "exited (orphaned)")

    listing = Listing(store.containers_db, lambda: containers.read_all(store)[0], look_too_late)
    found = listing.standings(Choice())
    assert [(one.id, one.state, one.record.exit_code) for one in found] == [
        ("c1", "exited", 5),
        ("c3", "exited (orphaned)", None),
    ]


names = st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{0,20}", fullmatch=True)
times = st.sampled_from(["", "-", "-1", "2026-01-02T03:04:05", "2026-01-02 03:04:05", "now", "1"])
fields = st.tuples(
    st.integers(0, 10**19).map(lambda n: f"c{n}"),
    st.integers(0, 1 << 33).map(str),
    names | st.just(""),
    st.sampled_from(["running", "exited", "stopped", "killed", "paused"]),
    times,
    times,
    st.sampled_from(["", "-", "-1", "0", "00", "255", "-3", "1" * 10, "1" * 19]),
)


@given(fields=fields)
def test_blanks_around_its_fields_change_nothing_in_a_record(fields: tuple[str, ...]) -> None:
    plain, spaced = "|".join(fields).encode(), " | ".join(fields).encode()
    assert containers.parse_record(plain) == containers.parse_record(b" " + spaced + b"\t")
