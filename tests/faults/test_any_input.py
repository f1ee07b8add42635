"""Free-form input: whatever stands in the tables or is typed, there is an answer and never a traceback."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hostile import Mdock
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from udock_lab import Runtime, cli
from udock_lab.commands import COMMANDS
from udock_lab.commands.results import Containers, Images, tell
from udock_lab.errors import MdockError, NotFound, UsageError
from udock_lab.model import Record, Status
from udock_lab.runtime.child.plan import DEFAULT_PATH
from udock_lab.runtime.state import containers, extras, ids, private
from udock_lab.runtime.state.home import Home
from udock_lab.runtime.state.images import check_image_name, list_images
from udock_lab.runtime.state.lock import locked

ANYTHING = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
FEW = settings(ANYTHING, max_examples=30)

# --- lines of the tables ---------------------------------------------------------------------------------

field = st.one_of(
    st.sampled_from(
        ["", " ", "c1", "c10", "c0", "c" + "9" * 18, "c" + "9" * 5000, "-1", "0", "7", "9" * 25, "9" * 5000, "٣", "-",
         "--1", "running", "exited", "stopped", "killed", "RUNNING", "demo", "2026-01-02T03:04:05", "0001-01-01T00:00:00",
         "9999-12-31T23:59:59", "2026-13-45T99:99:99", "/", "/no/such", "\x1b[31m", "\r", "\f", "\u2028"]
    ),
    st.text(st.characters(exclude_characters="|\n", codec="utf-8"), max_size=6),
)  # fmt: skip
ended = st.builds("{}|4000000|{}|exited|{}|{}|{}".format, field, field, field, field, field)
lines = st.one_of(
    st.binary(max_size=40).map(lambda data: data.replace(b"\n", b"")),
    st.lists(field, min_size=1, max_size=9).map(lambda fields: "|".join(fields).encode()),
    st.builds(lambda fields: "|".join(fields).encode(), st.lists(field, min_size=7, max_size=7)),
    ended.map(str.encode),
)
OURS = Record(id="c424242", pid=4_000_001, image="demo", status=Status.RUNNING, start_time="2026-01-02T03:04:05")


@pytest.fixture
def empty(tmp_path: Path) -> Home:
    home = Home(tmp_path / ".mdock")
    home.create()
    return home


@ANYTHING
@given(before=st.lists(lines, max_size=6), after=st.lists(lines, max_size=6), torn=st.booleans())
@example(before=[b"c1|" + b"9" * 5000 + b"|demo|running|x||"], after=[], torn=False)
@example(before=[b"c1|1|demo|exited|x|y|" + b"9" * 5000], after=[], torn=True)
@example(before=[b"c" + b"9" * 18 + b"|1|demo|exited|x|y|0"], after=[], torn=False)
def test_a_life_among_any_lines_leaves_every_other_byte(
    empty: Home, before: list[bytes], after: list[bytes], torn: bool
) -> None:
    def whole(wanted: list[bytes]) -> bytes:
        return b"".join(line + b"\n" for line in wanted)

    table = Path(empty.containers_db)
    table.write_bytes(whole(before)[: -1 if torn else None])
    if torn and before and not before[-1]:
        before.pop()  # without its newline an empty line is no line
    with locked(empty):
        containers.begin(empty, OURS)
        assert table.read_bytes() == whole([*before, containers.format_record(OURS)[:-1]])
        table.write_bytes(table.read_bytes() + whole(after))
        containers.set_intent(empty, OURS.id, Status.STOPPED)
        changed, old = containers.finish(empty, OURS.id, 143, "2026-01-02T03:04:06")
        os.close(old)
        assert changed is not None
        assert table.read_bytes() == whole([*before, containers.format_record(changed)[:-1], *after])
        private.discard(empty, [OURS.id])
    assert table.read_bytes() == whole([*before, *after])


@ANYTHING
@given(data=st.lists(lines, max_size=8), images=st.lists(lines, max_size=4))
def test_any_tables_can_be_listed_and_looked_up(empty: Home, data: list[bytes], images: list[bytes]) -> None:
    Path(empty.containers_db).write_bytes(b"\n".join(data))
    Path(empty.images_db).write_bytes(b"\n".join(images))
    runtime = Runtime(empty, forked=True)
    found = runtime.ps()
    assert tell(Containers(found)) and isinstance(tell(Images(runtime.images())), str)
    assert all(container.uptime is None or container.uptime >= 0 for container in found)
    assert all("\x1b" not in sentence for sentence in runtime.complaints())
    for look in (lambda: runtime.inspect("c1"), lambda: runtime.logs("c10"), lambda: runtime.inspect("demo")):
        _allow(MdockError, look)


@ANYTHING
@given(data=st.lists(lines, max_size=6), mark=st.binary(max_size=40))
@example(data=[], mark=b"9" * 30)
@example(data=[b"c" + b"9" * 17 + b"|1|d|exited|x|y|0"], mark=b"")
def test_next_id_is_new_and_readable_whatever_the_table_and_the_mark_hold(
    empty: Home, data: list[bytes], mark: bytes
) -> None:
    Path(empty.containers_db).write_bytes(b"\n".join(data))
    Path(empty.highest_id).write_bytes(mark)
    try:
        new = [ids.allocate(empty), ids.allocate(empty)]
    except OSError as error:
        assert "no container id is left" in str(error)
        return
    known = {record.id for record in containers.read_all(empty)[0]}
    assert len({*new} - known) == 2 and [containers.check_id(text) for text in new] == new


json_value = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
KEYS = ["env", "limits", "workdir", "argv", "userns", "rootfs", "private", "pid", "start_ticks", "boot_id",
        "started_boottime", "supervisor", "supervisor_ticks", "reports", "steps", "image"]  # fmt: skip


@pytest.fixture
def sleeper(runtime: Runtime, chroot_works: None) -> Iterator[Runtime]:
    """c1 runs, and what mdock knows of it is put back in the end."""
    runtime.run("demo", ["/bin/sleep", "60"], detach=True)
    kept = extras.load_extra(runtime.home, "c1", "spec")
    yield runtime
    extras.save_extra(runtime.home, "c1", "spec", kept)
    runtime.rm("c1", force=True)


@FEW
@given(spec=st.dictionaries(st.sampled_from(KEYS), json_value, max_size=5), steps=json_value)
@example(spec={"env": [1, ["A"], ["A", "b"]], "limits": {"files": True, "cpu": "x", "memory": 2**70}}, steps={})
@example(spec={"env": {"A": "b"}, "limits": {"memory": -1}, "workdir": []}, steps={"reports": [1], "steps": [2]})
@example(spec={"rootfs": "", "userns": "yes"}, steps={"reports": [[1, 1, 0, 0]], "steps": []})
@example(spec={"rootfs": "a\0b"}, steps={"reports": [[1, 1]], "steps": [[]]})
def test_what_somebody_wrote_into_the_private_files_is_never_a_traceback(
    sleeper: Runtime, spec: dict[str, object], steps: object
) -> None:
    kept = extras.load_extra(sleeper.home, "c1", "spec")
    extras.save_extra(sleeper.home, "c1", "spec", kept | spec)
    Path(sleeper.home.container_dir("c1"), "steps.json").write_text(json.dumps(steps))
    try:
        assert tell(Containers(sleeper.ps()))
        assert tell(sleeper.inspect("c1"))
        _allow(MdockError, lambda: sleeper.exec("c1", ["/bin/true"]))
    finally:
        extras.save_extra(sleeper.home, "c1", "spec", kept)


# --- command lines ---------------------------------------------------------------------------------------

HARMLESS = sorted(set(COMMANDS) - {"build", "rootfs", "demo", "doctor"})  # these four write, wherever they are told to
typed = st.one_of(
    st.sampled_from(
        ["c1", "c2", "c9", "demo", "nosuch", "-f", "-d", "-it", "--rm", "--", "-e", "A=b", "--mem", "1M", "-h", "--help",
         "--tail", "-1", "1e9", "-t", "nan", "inf", "-s", "KILL", "9" * 5000, "--copy", "-q", "-w", "..", "a|b", "a\nb"]
    ),
    st.text(st.characters(codec=None), max_size=8),
)  # fmt: skip


@ANYTHING
@given(first=st.one_of(st.sampled_from(HARMLESS), typed), rest=st.lists(typed, max_size=6))
@example(first="stop", rest=["-t", "nan", "c1"])
@example(first="run", rest=["a\nb"])
@example(first="inspect", rest=["\0"])
@example(first="help", rest=["help"])
def test_any_command_line_ends_with_a_code_and_mdocks_words(
    empty: Home, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], first: str, rest: list[str]
) -> None:
    if first in COMMANDS and first not in HARMLESS:
        return
    monkeypatch.setenv("HOME", os.path.dirname(empty.path))
    Path(empty.containers_db).write_text("c1|4000000|demo|exited|2026-01-02T03:04:05|2026-01-02T03:04:05|0\n")
    code = cli.main([first, *rest])
    said = capfd.readouterr().err
    assert code in (0, 1, 2, 125)
    assert all(line.startswith("[mdock]") for line in said.splitlines())
    assert (code == 0) == (said == ""), (code, said)


# --- names -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a|b", "a\nb", "..", "../up", "a/b", "x" * 65, "é", "目", "", " ", "-f/", "c7", "1a"])
def test_a_name_that_breaks_the_rule_is_refused_with_the_rule_and_an_example(tmp_path: Path, name: str) -> None:
    mdock = Mdock(tmp_path / ".mdock")
    (tmp_path / "tree").mkdir()
    result = mdock("build", "--", name, str(tmp_path / "tree"))
    assert result.returncode == 2
    assert "1 to 64 characters" in result.stderr and "For instance: demo" in result.stderr
    assert not os.path.exists(mdock.home.images_dir) or os.listdir(mdock.home.images_dir) == []


@ANYTHING
@given(name=st.one_of(st.text(st.characters(codec=None), max_size=70), st.text("c0123456789", max_size=5)))
@example(name="a\0b")
@example(name="x" * 64)
def test_any_name_is_built_or_refused_and_nothing_else_happens(empty: Home, tmp_path: Path, name: str) -> None:
    tree = tmp_path / "tree"
    tree.mkdir(exist_ok=True)
    runtime = Runtime(empty, forked=True)
    for use in (runtime.run, runtime.rmi, runtime.inspect, runtime.logs, runtime.stop, runtime.rm):
        error = _allow((NotFound, UsageError), lambda use=use: use(name))  # type: ignore[misc]
        assert error is not None and error.hint
    try:
        runtime.build(name, tree)
    except UsageError as error:
        assert "For instance: demo" in error.hint
        assert os.listdir(empty.images_dir) == [] and list_images(empty.images_db) == ([], [])
    else:
        assert check_image_name(name) == name
        runtime.rmi(name)


def _allow(errors: type[MdockError] | tuple[type[MdockError], ...], do: Callable[[], object]) -> MdockError | None:
    try:
        do()
    except errors as error:
        return error
    return None


# --- environment -----------------------------------------------------------------------------------------


@FEW
@given(
    pairs=st.dictionaries(
        st.text(st.characters(codec=None), max_size=6), st.text(st.characters(codec=None)), max_size=4
    )
)
@example(
    pairs={"LD_PRELOAD": "/no/such.so", "PATH": "", "IFS": "/", "A B": "\n", "é": "\udcff", "1": "", "A\nB": "C=D"}
)
@example(pairs={"\ud800": "lone surrogate"})
def test_any_variable_arrives_byte_for_byte_or_is_refused(
    runtime: Runtime, chroot_works: None, pairs: dict[str, str]
) -> None:
    try:
        result = runtime.run("demo", [*_env(runtime), "-0"], env=pairs)
    except UsageError as error:
        assert "NUL" in str(error) or "-e NAME=VALUE" in str(error) or "half of a character" in str(error)
        return
    wanted = {"PATH": DEFAULT_PATH, "HOME": "/root", "TERM": "xterm"} | pairs
    assert set(result.stdout.rstrip(b"\0").split(b"\0")) == {
        os.fsencode(f"{key}={value}") for key, value in wanted.items()
    }


def _env(runtime: Runtime) -> list[str]:
    """By its path: what PATH says is up to hypothesis."""
    busybox = Path(runtime.home.image_rootfs("demo"), "bin/busybox")
    return ["/bin/busybox", "env"] if busybox.exists() else ["/usr/bin/env"]
