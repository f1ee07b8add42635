"""The end of a container, drafted while its program runs: whatever happens meanwhile, no byte of the table is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from udock_lab import Runtime
from udock_lab.model import Record, Status
from udock_lab.runtime.state import containers
from udock_lab.runtime.state.drafts import Draft
from udock_lab.runtime.state.home import Home
from udock_lab.runtime.state.tables import append_line

OLDER = b"c1|100|demo|exited|2026-01-02T03:04:05|2026-01-02T03:04:06|0\n# a line that is no record, torn"
END = "2026-01-02T03:04:09"


@pytest.fixture
def store(tmp_path: Path) -> Home:
    home = Home(tmp_path / "store")
    home.create()
    Path(home.containers_db).write_bytes(OLDER)
    return home


def record(number: int) -> Record:
    return Record(
        id=f"c{number}", pid=number + 100, image="demo", status=Status.RUNNING, start_time="2026-01-02T03:04:07"
    )


def drafted(home: Home, number: int = 2) -> Draft:
    """Phase 1, and the draft of phase 2."""
    begun = record(number)
    draft = containers.look_ahead(home, begun, containers.append(home, begun), draft=True)
    assert draft is not None
    return draft


def finished(home: Home, draft: Draft | None, code: int = 0, number: int = 2) -> Record | None:
    after, old = containers.finish(home, f"c{number}", code, END, killed=code == 137, begun=draft)
    if old >= 0:
        os.close(old)
    return after


def in_home(home: Home) -> list[str]:
    return sorted(name for name in os.listdir(home.path) if os.path.isfile(f"{home.path}/{name}"))


@pytest.mark.parametrize("code", [0, 7, 137])
def test_a_drafted_end_is_the_table_that_a_rewrite_makes(store: Home, code: int) -> None:
    draft = drafted(store)
    os.chmod(store.containers_db, 0o600)
    table = os.stat(store.containers_db).st_ino
    after = finished(store, draft, code)
    assert after is not None and (after.exit_code, after.end_time) == (code, END)
    expected = OLDER + b"\n" + containers.format_record(after)
    assert Path(store.containers_db).read_bytes() == expected
    assert os.stat(store.containers_db).st_ino != table, "a reader sees the one or the other"
    assert in_home(store) == ["containers.db"]


def by_an_append(home: Home) -> None:
    containers.begin(home, record(3))


def by_a_stop(home: Home) -> None:
    containers.set_intent(home, "c2", Status.STOPPED)


def by_a_hand(home: Home) -> None:
    """In place, as long as before, within the same tick of the kernel's clock."""
    with open(home.containers_db, "r+b") as file:
        file.seek(0)
        file.write(b"c9")


def by_a_rewriter_that_died(home: Home) -> None:
    """Its half of a new table lies where the draft lay."""
    os.unlink(f"{home.containers_db}.tmp")
    Path(f"{home.containers_db}.tmp").write_bytes(b"c1|")


def by_a_home_made_anew(home: Home) -> None:
    data = Path(home.containers_db).read_bytes()
    os.rename(home.path, f"{home.path}.away")
    home.create()
    Path(home.containers_db).write_bytes(data)


@pytest.mark.parametrize(
    "change",
    [by_an_append, by_a_stop, by_a_hand, by_a_rewriter_that_died, by_a_home_made_anew],
    ids=lambda f: f.__name__,
)
def test_what_was_written_after_the_draft_is_not_lost(store: Home, change: Callable[[Home], None]) -> None:
    draft = drafted(store)
    change(store)
    meant = Path(store.containers_db).read_bytes()
    after = finished(store, draft)
    assert after is not None
    old = next(line for line in meant.splitlines(keepends=True) if line.startswith(b"c2|"))
    assert Path(store.containers_db).read_bytes() == meant.replace(old, containers.format_record(after))
    assert after.status is (Status.STOPPED if change is by_a_stop else Status.EXITED)
    assert in_home(store) == ["containers.db"]


def test_a_table_that_is_a_link_stays_one(store: Home, tmp_path: Path) -> None:
    place = tmp_path / "elsewhere"
    place.mkdir()
    os.rename(store.containers_db, place / "table")
    os.symlink(place / "table", store.containers_db)
    after = finished(store, drafted(store), 3)
    assert after is not None and os.path.islink(store.containers_db)
    assert (place / "table").read_bytes() == OLDER + b"\n" + containers.format_record(after)
    assert os.listdir(place) == ["table"] and in_home(store) == ["containers.db"]


def test_a_draft_that_is_given_up_leaves_nothing(store: Home) -> None:
    files = os.listdir("/proc/self/fd")
    draft = drafted(store)
    draft.discard()
    draft.discard()
    assert in_home(store) == ["containers.db"]
    assert len(os.listdir("/proc/self/fd")) == len(files)


def test_a_draft_of_a_record_that_was_removed_brings_it_not_back(store: Home) -> None:
    draft = drafted(store)
    containers.remove(store, {"c2"})
    assert finished(store, draft) is None
    assert Path(store.containers_db).read_bytes() == OLDER + b"\n"
    assert in_home(store) == ["containers.db"]


def test_nothing_is_drafted_for_a_table_that_others_have_changed(store: Home) -> None:
    begun = record(2)
    written = containers.append(store, begun)
    append_line(store.containers_db, b"somebody was faster\n")
    assert containers.look_ahead(store, begun, written, draft=True) is None
    assert in_home(store) == ["containers.db"]


_DIES = """
import os, signal, sys
sys.path[:0] = [{folder!r}]
from test_drafts import drafted
from udock_lab.runtime.state.home import Home
drafted(Home({home!r}))
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_draft_whose_maker_was_killed_goes_with_the_next_write(store: Home) -> None:
    script = _DIES.format(folder=str(Path(__file__).parent), home=store.path)
    done = subprocess.run([sys.executable, "-c", script], check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL
    assert in_home(store) == ["containers.db", "containers.db.tmp"]
    after = finished(store, None)
    assert after is not None and after.end_time == END
    assert in_home(store) == ["containers.db"]


_RUNS = """
import sys
from udock_lab import Runtime
runtime = Runtime(sys.argv[1])
for number in range(25):
    assert runtime.run("demo", ["/bin/sh", "-c", f"exit {number}"]).after.exit_code == number
runtime.close()
"""


def test_two_launchers_that_start_and_finish_at_once_lose_no_record(runtime: Runtime, chroot_works: None) -> None:
    both = [subprocess.Popen([sys.executable, "-c", _RUNS, runtime.home.path]) for _ in range(2)]
    assert [one.wait(120) for one in both] == [0, 0]
    records, corrupt = containers.read_all(runtime.home)
    assert not corrupt
    assert sorted(one.id for one in records) == sorted(f"c{number}" for number in range(1, 51))
    assert sorted(one.exit_code or 0 for one in records) == sorted([*range(25), *range(25)])
    assert "containers.db.tmp" not in os.listdir(runtime.home.path)
