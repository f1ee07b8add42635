"""The files under ``containers/<id>/``: what today writes, what 0.1.0 wrote, what somebody spoilt."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from udock_lab import Runtime
from udock_lab.errors import MdockError
from udock_lab.model import ContainerSpec, Limits
from udock_lab.model.plain import plain
from udock_lab.model.value import fields
from udock_lab.runtime.state.extras import (
    Asked,
    Identity,
    Program,
    Steps,
    load_program,
    load_spec,
    load_steps,
    save_program,
    save_spec,
    save_steps,
)
from udock_lab.runtime.state.home import Home

OLD = Path(__file__).resolve().parents[1] / "handed_out" / "0.1.0" / "stored" / "mdock"
IDENTITY = Identity(pid=7, start_ticks=5, boot_id="b", started_boottime=1.5, supervisor=6, supervisor_ticks=4,
                    pid_namespace="pid:[1]", host="lab")  # fmt: skip


@pytest.fixture
def store(home: Path) -> Home:
    made = Home(str(home))
    made.create()
    return made


def text_of(store: Home, name: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(Path(store.container_dir("c1"), f"{name}.json").read_bytes())
    return found


def write(store: Home, name: str, data: object) -> None:
    folder = Path(store.container_dir("c1"))
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(data))


def test_a_spec_keeps_every_field_of_what_was_asked_for() -> None:
    assert set(fields(ContainerSpec(image="demo"))) | {"rootfs", "private"} == set(fields(Asked()))


def test_spec_steps_and_programs_come_back_and_say_their_schema(store: Home) -> None:
    asked = Asked(image="demo", argv=("/bin/sh", "\udcff"), env=(("A", "b"),), limits=Limits(files=9), rootfs="/r")
    save_spec(store, "c1", plain(asked), IDENTITY)
    steps = Steps(reports=((0, 0, 1, 2), (-1, -1, 3, 0)), parent_steps=(("open_gate", 0, 1, 2),), names=("chdir",))
    save_steps(store, "c1", steps)
    program = Program(pid=9, start_ticks=3, boot_id="b", inode=4)
    save_program(store, "c1", program)
    kept = load_spec(store, "c1")
    assert (kept.asked, kept.identity, kept.unknown) == (asked, IDENTITY, "")
    assert (kept.listed.argv, kept.listed.userns) == (asked.argv, asked.userns)
    assert load_steps(store, "c1", Steps) == steps
    assert load_program(store, "c1", 9) == program
    assert [text_of(store, name)["schema"] for name in ("spec", "steps", "exec-9")] == [1, 1, 1]


def test_files_of_an_old_version_are_read(home: Path) -> None:
    """c2 was given limits, a variable and a folder, c11 an exec; what the parent did was called marks then."""
    old = Home(str(OLD))
    kept = load_spec(old, "c2")
    assert (kept.asked.env, kept.asked.workdir) == ((("GREETING", "hi"),), "/etc")
    assert kept.asked.limits == Limits(memory=512 << 20, cpu=20, files=64)
    assert (kept.identity.pid, kept.identity.supervisor, kept.identity.host) == (17, 16, "lab")
    steps = load_steps(old, "c1", Steps)
    assert steps.names == ("prctl", "chdir", "chroot", "chdir")
    assert [name for name, *_ in steps.parent_steps] == ["record_running", "open_gate"]
    assert steps.reports is not None
    assert len(steps.reports) == 6
    program = load_program(old, "c11", 69)
    assert program is not None
    assert program.start_ticks == 123636


def test_a_spoilt_field_counts_as_missing_and_the_rest_is_read(store: Home) -> None:
    save_spec(store, "c1", plain(Asked(image="demo", argv=("a",), rootfs="/r")), IDENTITY)
    write(store, "spec", text_of(store, "spec") | {"argv": [1], "limits": {"files": -1}, "start_ticks": "x", "new": 1})
    kept = load_spec(store, "c1")
    assert (kept.asked.argv, kept.asked.limits, kept.asked.rootfs) == ((), Limits(), "/r")
    assert (kept.identity.start_ticks, kept.identity.pid) == (None, 7)
    write(store, "steps", {"schema": 1, "reports": [[1]], "steps": ["chroot(/)"], "names": ["chroot"]})
    assert load_steps(store, "c1", Steps) == Steps(steps=("chroot(/)",), names=("chroot",))


@pytest.mark.parametrize("torn", [b"", b"{", b"[]", b"\xff", b"[" * 100_000])
def test_a_torn_file_tells_nothing(store: Home, torn: bytes) -> None:
    folder = Path(store.container_dir("c1"))
    folder.mkdir()
    for name in ("spec", "steps", "exec-9"):
        (folder / f"{name}.json").write_bytes(torn)
    kept = load_spec(store, "c1")
    assert (kept.asked, kept.identity, kept.unknown) == (Asked(), Identity(), "its spec is missing")
    assert load_steps(store, "c1", Steps) == Steps()
    assert load_program(store, "c1", 9) is None


def test_a_container_of_a_newer_mdock_is_shown_and_exec_says_why_it_knows_nothing_of_it(
    runtime: Runtime, chroot_works: None
) -> None:
    name = runtime.run("demo", ["/bin/sleep", "60"], detach=True).id
    path = Path(runtime.home.container_dir(name), "spec.json")
    whole = path.read_bytes()
    try:
        path.write_text(json.dumps(json.loads(whole) | {"schema": 2}))
        assert [container.id for container in runtime.ps()] == [name]
        with pytest.raises(MdockError, match="of its spec, its schema is 2, and this version reads up to 1"):
            runtime.exec(name, ["/bin/true"])
    finally:
        path.write_bytes(whole)
        runtime.rm(name, force=True)
    assert not os.path.exists(path)
