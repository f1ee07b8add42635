"""The files are shared with other programs: theirs are read and kept, ours parse by the plain rules."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from udock_lab import Runtime
from udock_lab.model import Status

FOREIGN = (
    b"c1|4194000|demo|running|2024-05-06T07:08:09|-1|-1\n"
    b"c2 | 4194001 | demo | exited | 2024-05-06T07:08:09 | 2024-05-06T07:08:10 | 3\n"
    b"c3|4194002|demo|exited|2024-05-06T07:08:09|2024-05-06T07:08:10|-1\n"
    b"# a comment nobody asked for\n"
    b"\n"
    b"c4|broken\xff\xfe|line\r\n"
    b"c10|4194003|demo|killed|2024-05-06T07:08:09|2024-05-06T07:08:10|137\n"
)

AWK = r"""
BEGIN { FS = "|" }
NF != 7 { print "fields " NF ": " $0; bad = 1 }
$1 !~ /^c[1-9][0-9]*$/ { print "id: " $0; bad = 1 }
$2 !~ /^[0-9]+$/ { print "pid: " $0; bad = 1 }
$4 !~ /^(running|exited|stopped|killed)$/ { print "status: " $0; bad = 1 }
$5 !~ /^[0-9]+-[0-9][0-9]-[0-9][0-9]T[0-9][0-9]:[0-9][0-9]:[0-9][0-9]$/ { print "start: " $0; bad = 1 }
$4 == "running" && ($6 != "" || $7 != "") { print "running with an end: " $0; bad = 1 }
$4 != "running" && ($6 == "" || $7 !~ /^[0-9]+$/) { print "ended without an end: " $0; bad = 1 }
seen[$1]++ { print "twice: " $0; bad = 1 }
END { print NR; exit bad }
"""


def write_foreign(runtime: Runtime) -> None:
    Path(runtime.home.containers_db).write_bytes(FOREIGN)


def test_foreign_records_are_read(runtime: Runtime) -> None:
    write_foreign(runtime)
    found = {container.id: container for container in runtime.ps()}
    assert list(found) == ["c1", "c2", "c3", "c10"]
    assert found["c1"].state == "exited (orphaned)"
    assert (found["c2"].record.status, found["c2"].record.exit_code) == (Status.EXITED, 3)
    assert found["c3"].record.exit_code is None and found["c3"].state == "exited"
    assert found["c10"].record.exit_code == 137


@pytest.mark.parametrize(
    "line",
    ["c5|{}|demo|running|{}|-1|-1\n", "c5 | {} | demo | running | {} | -1 | -1 \n", " c5|{}|demo|running|{}|-1|-1\n"],
)
@pytest.mark.parametrize(("end", "words"), [("stop", ("stopped", "143")), ("kill", ("killed", "137"))])
def test_a_foreign_container_that_runs_can_be_ended(
    runtime: Runtime, line: str, end: str, words: tuple[str, str]
) -> None:
    with subprocess.Popen(["/bin/sleep", "60"], start_new_session=True) as process:
        written = line.format(process.pid, time.strftime("%Y-%m-%dT%H:%M:%S"))
        Path(runtime.home.containers_db).write_bytes(written.encode() + b"c5|broken\n" + FOREIGN)
        getattr(runtime, end)("c5")
        assert process.wait(5) < 0
    data = Path(runtime.home.containers_db).read_bytes()
    changed, kept = data.split(b"\n", 1)
    assert kept == b"c5|broken\n" + FOREIGN
    fields = [field.strip() for field in changed.decode().split("|")]
    assert (fields[0], fields[3], fields[6]) == ("c5", *words)
    assert runtime.wait("c5").exit_code == int(words[1])


def test_an_exited_record_without_an_end_time_has_ended(runtime: Runtime) -> None:
    """Its pid may be anybody's by now: here it is this very process."""
    line = f"c1|{os.getpid()}|demo|exited|2099-05-06T07:08:09|-1|3\n"
    Path(runtime.home.containers_db).write_text(line)
    (container,) = runtime.ps()
    assert (container.state, container.alive) == ("exited", False)
    assert runtime.wait("c1").exit_code == 3
    assert runtime.prune() == ["c1"]


def test_lines_that_are_no_records_are_reported_once(runtime: Runtime) -> None:
    write_foreign(runtime)
    runtime.ps()
    assert len(runtime.complaints()) == 2
    runtime.ps()
    assert runtime.complaints() == []


def test_foreign_lines_survive_everything_we_do_byte_for_byte(runtime: Runtime) -> None:
    write_foreign(runtime)
    first = runtime.run("demo", ["/bin/true"])
    assert first.id == "c11"
    second = runtime.run("demo", ["/bin/sleep", "30"], detach=True)
    runtime.stop(second.id)
    third = runtime.run("demo", ["/bin/sh", "-c", "exit 5"], remove=True)
    runtime.rm(first.id)
    data = Path(runtime.home.containers_db).read_bytes()
    assert data.startswith(FOREIGN)
    assert data[len(FOREIGN) :].split(b"|")[0] == second.id.encode() and data.count(third.id.encode() + b"|") == 0


def test_foreign_record_can_be_removed_and_its_neighbours_stay(runtime: Runtime) -> None:
    write_foreign(runtime)
    runtime.rm("c2")
    lines = FOREIGN.splitlines(keepends=True)
    assert Path(runtime.home.containers_db).read_bytes() == b"".join([lines[0], *lines[2:]])


def test_torn_last_line_of_another_program_is_kept_and_closed(runtime: Runtime) -> None:
    Path(runtime.home.containers_db).write_bytes(FOREIGN + b"c12|419")
    result = runtime.run("demo", ["/bin/true"])
    data = Path(runtime.home.containers_db).read_bytes()
    assert data.startswith(FOREIGN + b"c12|419\n" + result.id.encode() + b"|")


@pytest.mark.skipif(shutil.which("awk") is None, reason="needs privilege: awk is missing")
def test_our_records_parse_by_a_plain_awk_script(runtime: Runtime) -> None:
    for code in (0, 42):
        runtime.run("demo", ["/bin/sh", "-c", f"exit {code}"])
    runtime.run("demo", ["/no/such"])
    ids = [runtime.run("demo", ["/bin/sleep", "30"], detach=True).id for _ in range(3)]
    runtime.stop(ids[0])
    runtime.kill(ids[1])
    done = subprocess.run(["awk", AWK, runtime.home.containers_db], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "6\n"), done.stdout


def test_image_table_of_another_program_is_read_and_kept(runtime: Runtime, demo_rootfs: Path) -> None:
    own = Path(runtime.home.images_db).read_bytes()
    foreign = f" other | {demo_rootfs} | 2024-05-06T07:08:09 \n".encode()
    Path(runtime.home.images_db).write_bytes(b"garbage\n" + foreign + own)
    assert runtime.run("other", ["/bin/sh", "-c", "exit 4"]).exit_code == 4
    runtime.build("third", demo_rootfs)
    assert Path(runtime.home.images_db).read_bytes().startswith(b"garbage\n" + foreign + own)
    assert os.path.isdir(demo_rootfs)
