"""Arguments of Runtime of any type: what is meant is done, the rest is a UsageError that names the argument."""

from __future__ import annotations

import decimal
import enum
import fractions
import io
import itertools
import math
import os
import pathlib
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from udock_lab import ContainerSpec, Limits, MdockError, RunIO, RunOptions, Runtime, UsageError
from udock_lab.runtime.state import containers, extras

FEW = settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])


class Colour(enum.IntEnum):
    RED = 15


class Hostile:
    """Every question it is asked ends badly."""

    def __fspath__(self) -> str:
        raise RuntimeError("no path")

    def __iter__(self) -> Iterator[str]:
        raise RuntimeError("no words")

    def __index__(self) -> int:
        raise RuntimeError("no number")

    def __len__(self) -> int:
        raise RuntimeError("no length")

    def fileno(self) -> int:
        raise RuntimeError("no file")


class HostileMapping(Mapping[str, str]):
    def __getitem__(self, key: str) -> str:
        raise RuntimeError("nothing")

    def __iter__(self) -> Iterator[str]:
        raise RuntimeError("nothing")

    def __len__(self) -> int:
        return 1


def broken() -> Iterator[str]:
    yield "/bin/true"
    raise ValueError("halfway")


anything = st.one_of(
    st.none() | st.booleans() | st.integers(-3, 300) | st.integers() | st.floats() | st.complex_numbers(),
    st.sampled_from([2**31, 2**63, -(2**63), 10**5000, -1, 0, math.nan, math.inf, -math.inf, 0.5, 1e300]),
    st.text(st.characters(codec=None), max_size=5) | st.binary(max_size=5),
    st.sampled_from(["", "\0", "=", "A=b", "\ud800", "c1", "demo", "TERM", "64M", "all", "no", ".", "..", "~", "~nobody-there/x"]),
    st.lists(st.text(max_size=2) | st.integers() | st.none() | st.binary(max_size=2), max_size=3),
    st.dictionaries(st.text(max_size=2) | st.integers(), st.text(max_size=2) | st.booleans(), max_size=2),
    st.sampled_from([
        object, object(), Hostile(), HostileMapping(), len, Colour.RED, signal.SIGTERM, decimal.Decimal("1.5"),
        decimal.Decimal("NaN"), fractions.Fraction(1, 3), pathlib.PurePosixPath("/bin/sh"), Path("a\0b"), range(3),
        {1, 2}, frozenset(), ..., NotImplemented, bytearray(b"x"), memoryview(b"x"), (), [], {}, [[]], [None], [["a"]],
        {"A": None}, {"": ""}, {"A=B": "c"}, {1: 2}, subprocess.DEVNULL, subprocess.PIPE, Limits(), os.environ,
        ContainerSpec(image="demo", argv=("/bin/true",)), Limits, UsageError("x"),
    ]),
    st.builds(broken),
    st.builds(lambda: iter(["/bin/true"])),
    st.builds(lambda: itertools.repeat("x")),
    st.builds(lambda: itertools.repeat(b"x" * (1 << 20))),
    st.builds(io.BytesIO, st.binary(max_size=3)),
    st.builds(io.StringIO, st.text(max_size=3)),
)  # fmt: skip


@pytest.fixture
def living(runtime: Runtime, chroot_works: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Runtime:
    """c1 has ended; what a test builds or makes by a relative path goes to its own folder."""
    monkeypatch.chdir(tmp_path)
    runtime.run("demo", ["/bin/true"])
    return runtime


TRUE = ["/bin/true"]
SPEC = ContainerSpec(image="demo", argv=("/bin/true",))
CALLS: dict[str, Callable[[Runtime, Any], object]] = {
    "Runtime home": lambda r, v: Runtime(v).ps(),
    "Runtime spare": lambda r, v: Runtime(r.home, spare=v),
    "Runtime forked": lambda r, v: Runtime(r.home, forked=v),
    "build name": lambda r, v: r.build(v, "tree"),
    "build directory": lambda r, v: r.build("made", v, force=True),
    "build force": lambda r, v: r.build("made", "tree", force=v),
    "build progress": lambda r, v: r.build("made", "tree", force=True, progress=None if callable(v) else v),
    "build on_note": lambda r, v: r.build("made", "tree", force=True, on_note=None if callable(v) else v),
    "demo progress": lambda r, v: r.demo(progress=None if callable(v) else v),
    "rmi": lambda r, v: r.rmi(v),
    "rootfs directory": lambda r, v: r.rootfs(v, ["no-such-program"]),
    "rootfs programs": lambda r, v: r.rootfs("new-root", v),
    "run image": lambda r, v: r.run(v, *([] if isinstance(v, ContainerSpec) else [TRUE])),
    "run argv": lambda r, v: r.run("demo", v),
    "run word": lambda r, v: r.run("demo", ["/bin/echo", v]),
    "run env": lambda r, v: r.run("demo", TRUE, env=v),
    "run value": lambda r, v: r.run("demo", TRUE, env={"A": v}),
    "run workdir": lambda r, v: r.run("demo", TRUE, workdir=v),
    "run memory": lambda r, v: r.run("demo", TRUE, memory=v),
    "run cpu": lambda r, v: r.run("demo", TRUE, cpu=v),
    "run files": lambda r, v: r.run("demo", TRUE, files=v),
    "run userns": lambda r, v: r.run("demo", TRUE, userns=v),
    "run copy": lambda r, v: r.run("demo", TRUE, copy=v),
    "run detach": lambda r, v: r.run("demo", TRUE, detach=v),
    "run remove": lambda r, v: r.run("demo", TRUE, remove=v),
    "run tty": lambda r, v: r.run("demo", TRUE, tty=v),
    "run interactive": lambda r, v: r.run("demo", TRUE, interactive=v),
    "run stdin": lambda r, v: r.run("demo", TRUE, stdin=v),
    "run on_output": lambda r, v: r.run("demo", TRUE, on_output=None if callable(v) else v),
    "run on_note": lambda r, v: r.run("demo", TRUE, on_note=None if callable(v) else v),
    "run on_start": lambda r, v: r.run("demo", TRUE, on_start=None if callable(v) else v),
    "run one_pipe": lambda r, v: r.run("demo", TRUE, one_pipe=v),
    "run spare": lambda r, v: r.run("demo", TRUE, spare=v),
    "run snapshots": lambda r, v: r.run("demo", TRUE, snapshots=v),
    "run io": lambda r, v: r.run("demo", TRUE, io=v),
    "run options": lambda r, v: r.run("demo", TRUE, options=v),
    "second": lambda r, v: r.run(SPEC, v),
    "third": lambda r, v: r.run(SPEC, RunIO(), v),
    "io stdin": lambda r, v: r.run(SPEC, RunIO(stdin=v)),
    "io on_note": lambda r, v: r.run(SPEC, RunIO(on_note=None if callable(v) else v)),
    "io one_pipe": lambda r, v: r.run(SPEC, RunIO(one_pipe=v)),
    "options spare": lambda r, v: r.run(SPEC, RunIO(), RunOptions(spare=v)),
    "options snapshots": lambda r, v: r.run(SPEC, options=RunOptions(snapshots=v)),
    "exec io": lambda r, v: r.exec("c1", TRUE, io=v),
    "beside a spec": lambda r, v: r.run(ContainerSpec(image="demo", argv=("/bin/true",)), env=v),
    "spec image": lambda r, v: r.run(ContainerSpec(image=v, argv=("/bin/true",))),
    "spec argv": lambda r, v: r.run(ContainerSpec(image="demo", argv=v)),
    "spec env": lambda r, v: r.run(ContainerSpec(image="demo", argv=("/bin/true",), env=v)),
    "spec limits": lambda r, v: r.run(ContainerSpec(image="demo", argv=("/bin/true",), limits=v)),
    "spec tty": lambda r, v: r.run(ContainerSpec(image="demo", argv=("/bin/true",), tty=v)),
    "limits": lambda r, v: Limits(memory=v, cpu=v, files=v),
    "exec id": lambda r, v: r.exec(v, TRUE),
    "exec argv": lambda r, v: r.exec("c1", v),
    "exec env": lambda r, v: r.exec("c1", TRUE, env=v),
    "exec workdir": lambda r, v: r.exec("c1", TRUE, workdir=v),
    "exec stdin": lambda r, v: r.exec("c1", TRUE, stdin=v),
    "stop id": lambda r, v: r.stop(v),
    "stop timeout": lambda r, v: r.stop("c1", timeout=v),
    "kill id": lambda r, v: r.kill(v),
    "kill signal": lambda r, v: r.kill("c1", v),
    "wait": lambda r, v: r.wait(v),
    "rm force": lambda r, v: r.rm("c999", force=v),
    "rm id": lambda r, v: r.rm(v) if v != "c1" else None,
    "inspect": lambda r, v: r.inspect(v),
    "logs id": lambda r, v: r.logs(v),
    "logs tail": lambda r, v: r.logs("c1", tail=v),
    "read_logs follow": lambda r, v: list(r.read_logs("c1", follow=v)),
    "follow_logs": lambda r, v: list(r.follow_logs(v)),
    "ps": lambda r, v: r.ps(running=v),
    "process_tree": lambda r, v: r.process_tree(v),
    "configure name": lambda r, v: r.configure(v, False),
    "configure value": lambda r, v: r.configure("userns", v if v != 1 else False),
    "prune on_refused": lambda r, v: None if v is None or callable(v) else r.prune(v),
    "run guard": lambda r, v: r.run("demo", TRUE, guard=v),
    "exec guard": lambda r, v: r.exec("c1", TRUE, guard=v),
}  # fmt: skip


@pytest.mark.parametrize("call", CALLS)
@FEW
@given(value=anything)
@example(value=Hostile())
@example(value=10**5000)
@example(value="\ud800")
@example(value="a\0b")
def test_any_value_gives_a_result_or_a_sentence_and_every_container_a_record(
    living: Runtime, call: str, value: Any
) -> None:
    Path("tree").mkdir(exist_ok=True)
    before = {record.id for record in containers.read_all(living.home)[0]}
    try:
        CALLS[call](living, value)
    except MdockError as error:
        assert error.message
        str(error).encode()  # no half of a character in a message
    left = containers.read_all(living.home)
    assert left[1] == []
    assert before <= {record.id for record in left[0]}
    assert not [name for name in os.listdir(living.home.run_dir) if name.startswith("copy-") and not _used(living)]
    for name in ("new-root", "made"):
        subprocess.run(["rm", "-rf", name], check=True)


def _used(runtime: Runtime) -> bool:
    return any(extras.load_extra(runtime.home, c.id, "spec").get("private") for c in runtime.ps())


# --- what is meant is done -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "printed"),
    [
        (["/bin/echo", 1, 2.5, b"b\xff", Path("/p"), Colour.RED], b"1 2.5 b\xff /p 15\n"),
        (("/bin/echo", decimal.Decimal("1.50"), 10**30), b"1.50 1" + b"0" * 30 + b"\n"),
        ((word for word in ["/bin/echo", "a"]), b"a\n"),
        ([Path("/bin/echo"), "x"], b"x\n"),
    ],
)
def test_words_of_any_type_reach_the_program_as_their_text(living: Runtime, words: Any, printed: bytes) -> None:
    assert living.run("demo", words).stdout == printed


@pytest.mark.parametrize("env", [{"A": 3}, {"A": b"3"}, [("A", 3)], ["A=3"], {"A": Path("3")}, {b"A": "3"}])
def test_variables_of_any_type_reach_the_program_as_their_text(living: Runtime, env: Any) -> None:
    spec = ContainerSpec(image="demo", argv=("/bin/sh", "-c", "echo $A"), env=env)
    assert living.run(spec).stdout == living.run("demo", ["/bin/sh", "-c", "echo $A"], env=env).stdout == b"3\n"


def test_a_path_is_a_working_directory_and_a_size_a_limit(living: Runtime) -> None:
    by_path = living.run("demo", ["/bin/pwd"], workdir=Path("/bin")).stdout
    assert by_path == living.run("demo", ["/bin/pwd"], workdir="/bin").stdout != b"/\n"
    assert Limits(memory="64M", cpu=2.0) == Limits(memory=64 << 20, cpu=2)  # type: ignore[arg-type]


def test_standard_input_may_be_a_file_of_any_kind(living: Runtime, tmp_path: Path) -> None:
    file = tmp_path / "words"
    file.write_text("hello")
    with file.open() as text, file.open("rb", buffering=0) as data:
        for stdin in (
            text,
            data,
            data.fileno(),
            io.BytesIO(b"hello"),
            io.StringIO("hello"),
            "hello",
            bytearray(b"hello"),
        ):
            data.seek(0)
            assert living.run("demo", ["/bin/cat"], stdin=stdin).stdout == b"hello"  # type: ignore[arg-type]
    assert living.run("demo", ["/bin/cat"], stdin=subprocess.DEVNULL).stdout == b""
    assert living.run("demo", ["/bin/cat"], stdin="\udcff").stdout == b"\xff"


def test_a_run_takes_three_values_or_what_they_are_made_of(living: Runtime) -> None:
    said: list[str] = []
    cat = ContainerSpec(image="demo", argv=("/bin/sh", "-c", "cat; echo oh >&2"))
    flows = RunIO(stdin=io.StringIO("hello "), one_pipe=True, on_start=said.append)
    first = living.run(cat, flows, RunOptions(spare=False, snapshots=True))
    again = living.run(cat, flows)  # what was to be read of a text is kept
    words = living.run(
        "demo", cat.argv, stdin="hello ", one_pipe=True, on_start=said.append, spare=False, snapshots=True
    )
    beside = living.run(cat, stdin="hello ", io=None, options=RunOptions(snapshots=True), one_pipe=True)
    assert {one.stdout for one in (first, again, words, beside)} == {b"hello oh\n"}
    assert [len(one.snapshots) for one in (first, again, words, beside)] == [2, 0, 2, 2]
    assert said == [first.id, again.id, words.id]
    assert [step.name for step in first.steps].count("fork") == [step.name for step in words.steps].count("fork") == 1


def test_the_file_in_a_runs_io_stays_open_and_is_read_on_by_the_next_run(living: Runtime, tmp_path: Path) -> None:
    (tmp_path / "words").write_text("one\ntwo\n")
    flows = RunIO(stdin=(tmp_path / "words").open("rb", buffering=0))
    line = ContainerSpec(image="demo", argv=("/bin/sh", "-c", "read line; echo $line"))
    assert [living.run(line, flows).stdout for _ in range(2)] == [b"one\n", b"two\n"]
    flows.stdin.close()  # type: ignore[union-attr]
    with pytest.raises(UsageError, match="stdin"):
        living.run(line, flows)


def test_exec_takes_the_same_io(living: Runtime) -> None:
    run = living.run("demo", ["/bin/sleep", "60"], detach=True)
    flows = RunIO(stdin="hello", one_pipe=True)
    assert living.exec(run, ["/bin/sh", "-c", "cat >&2"], io=flows).stdout == b"hello"
    with pytest.raises(UsageError, match="stdin is given together with io"):
        living.exec(run, TRUE, io=flows, stdin="x")


def test_a_container_is_meant_by_its_result_its_record_and_its_line_of_ps(living: Runtime) -> None:
    run = living.run(living.images()[0], ["/bin/sleep", "60"], detach=True)
    assert living.kill(run, "CONT").id == living.kill(run, signal.SIGCONT).id == run.id
    assert living.exec(run, TRUE).exit_code == 0
    assert living.inspect(living.ps()[-1]).data["id"] == run.id
    assert living.stop(run, timeout=math.inf).exit_code == 143
    living.rm(living.wait(run))
    assert living.inspect(living.images()[0]).kind == "image"


# --- the rest is refused, by name ------------------------------------------------------------------------

REFUSED: dict[str, tuple[str, Callable[[Runtime], object]]] = {
    "one string": ("argv", lambda r: r.run("demo", "ls -l")),
    "bytes": ("argv", lambda r: r.run("demo", b"ls")),  # type: ignore[arg-type]
    "a set": ("argv", lambda r: r.run("demo", {"a", "b"})),
    "no words": ("argv", lambda r: r.run("demo", [])),
    "no words in a spec": ("argv", lambda r: r.run(ContainerSpec(image="demo", argv=()))),
    "a truth value as a word": ("argv[1]", lambda r: r.run("demo", ["/bin/echo", True])),
    "None as a word": ("argv[1]", lambda r: r.run("demo", ["/bin/echo", None])),  # type: ignore[list-item]
    "NUL": ("Word 1", lambda r: r.run("demo", ["/bin/echo", "a\0b"])),
    "NUL in a variable": ("'A'", lambda r: r.run("demo", TRUE, env={"A": "\0"})),
    "endless words": ("argv", lambda r: r.run("demo", itertools.repeat("x"))),
    "words that break off": ("argv", lambda r: r.run("demo", broken())),
    "a truth value in a variable": ("env['A']", lambda r: r.run("demo", TRUE, env={"A": True})),
    "an equals sign in a name": ("'A=B'", lambda r: r.run("demo", TRUE, env={"A=B": "c"})),
    "a number as a name": ("env", lambda r: r.run("demo", TRUE, env={1: "c"})),  # type: ignore[dict-item]
    "negative memory": ("memory", lambda r: r.run("demo", TRUE, memory=-5)),
    "no time": ("cpu", lambda r: r.run("demo", TRUE, cpu=0)),
    "half a second": ("cpu", lambda r: r.run("demo", TRUE, cpu=0.5)),  # type: ignore[arg-type]
    "a truth value as a number": ("files", lambda r: r.run("demo", TRUE, files=True)),
    "not a number": ("memory", lambda r: Limits(memory=math.nan)),  # type: ignore[arg-type]
    "a number as a path": ("workdir", lambda r: r.run("demo", TRUE, workdir=3)),  # type: ignore[arg-type]
    "a word as a switch": ("detach", lambda r: r.run("demo", TRUE, detach="no")),  # type: ignore[arg-type]
    "a closed file": ("stdin", lambda r: r.run("demo", TRUE, stdin=_closed())),
    "a file to write to": ("stdin", lambda r: r.run("demo", TRUE, stdin=open(os.devnull, "w"))),  # noqa: SIM115
    "no descriptor": ("stdin", lambda r: r.run("demo", TRUE, stdin=987_654)),
    "True as a descriptor": ("stdin", lambda r: r.run("demo", TRUE, stdin=True)),
    "memory beside a spec": ("memory", lambda r: r.run(SPEC, memory=64 << 20)),
    "words beside a spec": ("argv", lambda r: r.run(SPEC, TRUE)),
    "a switch beside a spec": ("detach", lambda r: r.run(SPEC, detach=False)),
    "stdin beside io": ("stdin", lambda r: r.run(SPEC, RunIO(), stdin="x")),  # type: ignore[call-overload]
    "a switch beside io": ("one_pipe", lambda r: r.run("demo", TRUE, io=RunIO(), one_pipe=False)),
    "spare beside options": ("spare", lambda r: r.run("demo", TRUE, options=RunOptions(), spare=True)),
    "io twice": ("io", lambda r: r.run(SPEC, RunIO(), io=RunIO())),  # type: ignore[call-overload]
    "options in the place of io": ("RunOptions come third", lambda r: r.run(SPEC, RunOptions())),  # type: ignore[call-overload]
    "io in the place of options": ("options", lambda r: r.run(SPEC, RunIO(), RunIO())),  # type: ignore[call-overload]
    "io of another type": ("io", lambda r: r.run(SPEC, io={"stdin": "x"})),  # type: ignore[call-overload]
    "no function in io": ("on_start", lambda r: RunIO(on_start="print")),  # type: ignore[arg-type]
    "no switch in options": ("snapshots", lambda r: RunOptions(snapshots="no")),  # type: ignore[arg-type]
    "no function": ("on_output", lambda r: r.run("demo", TRUE, on_output="print")),  # type: ignore[arg-type]
    "no signal": ("signal", lambda r: r.kill("c1", 999)),
    "no name of a signal": ("signal", lambda r: r.kill("c1", "TREM")),
    "True as a signal": ("signal", lambda r: r.kill("c1", True)),
    "a timeout that is no number": ("timeout", lambda r: r.stop("c1", math.nan)),
    "a negative timeout": ("timeout", lambda r: r.stop("c1", -1)),
    "a number as an id": ("container_id", lambda r: r.wait(1)),  # type: ignore[arg-type]
    "negative lines": ("tail", lambda r: r.logs("c1", tail=-1)),
    "one string of programs": ("programs", lambda r: r.rootfs("somewhere", "ls")),
    "a number as a folder": ("directory", lambda r: r.build("made", 3)),  # type: ignore[arg-type]
    "a number as a home": ("home", lambda r: Runtime(0)),  # type: ignore[arg-type]
}  # fmt: skip


def _closed() -> io.StringIO:
    file = io.StringIO()
    file.close()
    return file


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_not_meant_is_refused_with_the_argument_it_is(living: Runtime, what: str) -> None:
    named, call = REFUSED[what]
    records = containers.read_all(living.home)
    with pytest.raises(UsageError) as caught:
        call(living)
    assert named in caught.value.message
    assert containers.read_all(living.home) == records


def test_a_refused_copy_leaves_no_folder_behind(living: Runtime) -> None:
    with pytest.raises(UsageError):
        living.run("demo", ["/bin/true", "\0"], copy=True)
    assert not [name for name in os.listdir(living.home.run_dir) if name.startswith("copy-")]
