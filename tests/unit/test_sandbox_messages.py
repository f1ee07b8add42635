"""What the processes of a sandbox say is what is heard; whatever else comes over their socket is junk."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from udock_lab.isolation.ask import IDENTITY, WriteIdMap
from udock_lab.linux import idmaps
from udock_lab.model import ExitStatus, LineBegun, SandboxProcess, SystemCall
from udock_lab.sandbox import messages as m
from udock_lab.sandbox.policy import SandboxPolicy
from udock_lab.wire.messages import MalformedError, Message

PROCESS = SandboxProcess(pid=7, parent=0, role="parent", status=ExitStatus(raw=9), program="/bin/\udcff", ran_on=True)
CALL = SystemCall(pid=7, name="chroot", arguments='"/x"', result="-1", start=1, end=2, errno="EPERM")
BEGUN = LineBegun(pid=7, time=5, line=3, variables=(("x", "'\x1b'"),), held=(("stdout", "'a'"),))
LIMITS = m.Limits(address_space=1 << 31, processes=64, file_size=1 << 28)

SAID: list[tuple[Callable[[bytes], Message], Message]] = [
    (m.from_client, m.Stop()),
    (
        m.from_client,
        m.Request(
            source="print('é')", sources={"a.py": "x"}, scratch="/tmp/x", cwd="", limits=LIMITS, timeout=0.5, strace="",
            untraced="no", calls=("fork",), lines=True, files=("b.py",), inject="", shut=True, together=5, python="/p", package="/q",
            path=("a",), env={"A": "\udcff"},
        ),
    ),
    (m.from_keeper, m.Output(stream="stderr", pid=7, role="child 1", data=bytes(range(256)))),
    (m.from_keeper, m.Failed(why="OSError: no")),
    (
        m.from_keeper,
        m.Report(
            processes=(PROCESS,), ends={7: m.End(how="raised", words="E: x")}, collected=frozenset({8, 9}),
            calls=(CALL,), calls_dropped=1, begun=(BEGUN,), ended_by="end", broken="",
            unreadable="", status=None, files={"a": b"\xff\x00"}, missing_isolation=("own network",), identity="plain", guard="none", untraced="",
            written=3, shown=2, signals_to_all=0, audits=("os.system",), waits={8: "was running"}, seconds=1.5,
        ),
    ),
    (m.from_runner, m.Hello()),
    (m.from_runner, m.Asked(ask=WriteIdMap(file=idmaps.UID_MAP, rule=IDENTITY))),
    (m.from_runner, m.Isolated(refused=("new_network",))),
    (m.from_runner, m.Aside(kept_to=True, closed="/root")),
    (m.from_runner, m.Broken(why="x")),
    (m.from_first_inside, m.FirstEnded(status=256)),
    (m.from_first_inside, m.Files(files={"a": b"\xff"})),
    (m.from_process, m.Forked(by=100, number=3)),
    (m.from_process, m.Ended(how="done", words="", value="[1]")),
    (m.to_runner, m.Orders(source="x", sources={}, files=("b.py",), policy=SandboxPolicy(isolated=True, limits=(("RLIMIT_AS", 1),)))),
    (m.to_runner, m.Answered(errno=1)),
]  # fmt: skip


@pytest.mark.parametrize(("hear", "message"), SAID, ids=[type(message).__name__ for _, message in SAID])
def test_message_arrives_as_it_was(hear: Callable[[bytes], Message], message: Message) -> None:
    assert hear(m.encode(message)) == message


@pytest.mark.parametrize(("hear", "message"), SAID, ids=[type(message).__name__ for _, message in SAID])
def test_nobody_may_say_what_another_may(hear: Callable[[bytes], Message], message: Message) -> None:
    for other in (m.from_client, m.from_keeper, m.from_runner, m.from_first_inside, m.from_process, m.to_runner):
        if other is not hear:
            with pytest.raises(MalformedError):
                other(m.encode(message))


@given(
    by=st.integers(min_value=-(2**70), max_value=2**70), number=st.integers(min_value=0, max_value=2**40),
    text=st.text(st.characters(codec=None)),
)  # fmt: skip
def test_writers_that_look_nothing_up_write_what_the_codec_writes(by: int, number: int, text: str) -> None:
    assert m.numbers_writer(m.Forked)(by, number) == m.encode(m.Forked(by=by, number=number))
    assert m.numbers_writer(m.Kills)() == m.encode(m.Kills())
    assert m.text_writer(m.Execs)(text) == m.encode(m.Execs(program=text))
    assert m.text_writer(m.Audited)(text) == m.encode(m.Audited(event=text))


@pytest.mark.parametrize("kind", [m.Execs, m.Ended, m.Asked])
def test_a_writer_is_for_numbers_or_for_one_text(kind: type[Message]) -> None:
    with pytest.raises(TypeError):
        m.numbers_writer(kind)
    if kind is not m.Execs:
        with pytest.raises(TypeError):
            m.text_writer(kind)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)
_NAMES = st.sampled_from(
    ["forked", "execs", "kills", "audited", "ended", "files", "first_ended", "asked", "hello", "ready"]
)
_FIELDS = st.sampled_from(["by", "number", "program", "event", "how", "words", "value", "files", "status", "ask", "is"])
_ALMOST = st.builds(lambda name, fields: {"is": name} | fields, _NAMES, st.dictionaries(_FIELDS, _JSON, max_size=4))


@given(st.binary(max_size=200) | st.one_of(_JSON, _ALMOST).map(lambda junk: __import__("json").dumps(junk).encode()))
def test_whatever_comes_is_a_message_or_junk(data: bytes) -> None:
    for hear in (m.from_runner, m.from_first_inside, m.from_process):
        try:
            assert isinstance(hear(data), Message)
        except MalformedError:
            continue
