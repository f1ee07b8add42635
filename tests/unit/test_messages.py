"""Messages between processes: whatever comes, it is a message or MalformedError."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from udock_lab.wire.messages import MalformedError, Message, decode, encode


class Part(Message):
    name: str
    errno: int = 0


class Hello(Message):
    pid: int


class WallsUp(Message):
    missing: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()
    said: bytes = b""
    limits: dict[str, int | None] | None = None
    value: object = None
    seconds: float = 0.0


class Bye(Message):
    """Without fields."""


def from_runner(data: bytes) -> Hello | WallsUp | Bye:
    """Strict mypy takes this as it stands."""
    return decode(data, (Hello, WallsUp, Bye))


TEXT = st.text(st.characters(exclude_categories=["Cs"])) | st.binary().map(
    lambda b: b.decode("utf-8", "surrogateescape")
)
WALLS = st.builds(
    WallsUp,
    missing=st.lists(TEXT, max_size=3).map(tuple),
    parts=st.lists(st.builds(Part, name=TEXT, errno=st.integers()), max_size=3).map(tuple),
    said=st.binary(),
    limits=st.none() | st.dictionaries(TEXT, st.none() | st.integers(), max_size=3),
    seconds=st.floats(allow_nan=False),
)
FIELDS = ["is", "pid", "missing", "parts", "said", "limits", "value", "seconds", "items", "latin1", "name", "errno"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text() | st.sampled_from(FIELDS), inner, max_size=4),
    max_leaves=20,
)


@given(message=WALLS | st.builds(Hello, pid=st.integers()) | st.builds(Bye))
def test_a_message_arrives_as_it_was_sent(message: Hello | WallsUp | Bye) -> None:
    assert from_runner(encode(message)) == message


def test_a_message_names_itself_in_ascii() -> None:
    assert encode(WallsUp(missing=("\udcff",))).startswith(b'{"is":"walls_up","missing":["\\udcff"],')
    assert encode(Bye()) == b'{"is":"bye"}'


def refuses(data: bytes) -> str:
    """Why it is no message; empty where it is one."""
    try:
        from_runner(data)
    except MalformedError as error:
        return str(error)
    return ""


@given(data=st.binary())
def test_arbitrary_bytes_are_a_message_or_malformed(data: bytes) -> None:
    refuses(data)


@given(data=JSON)
@example(data=[])
@example(data={"is": ["hello"]})
@example(data={"is": {}})
def test_arbitrary_json_is_a_message_or_malformed(data: Any) -> None:
    refuses(json.dumps(data).encode())


@given(
    name=st.sampled_from(["hello", "walls_up", "bye", "part"]), data=st.dictionaries(st.sampled_from(FIELDS[1:]), JSON)
)
def test_a_message_with_arbitrary_fields_is_one_or_malformed(name: str, data: dict[str, Any]) -> None:
    refuses(json.dumps({"is": name} | data).encode())


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "this is no JSON"),
        (b"{", "this is no JSON"),
        ('{"is":"é"}'.encode(), "is: one of hello, walls_up, bye is expected"),
        (b'{"is":"\xe9"}', "this is no JSON"),
        (b"[" * 100_000, "this is no JSON"),
        (b'{"a":' * 100_000, "this is no JSON"),
        (b'{"is":"walls_up","value":' + b"[" * 600 + b"]" * 600 + b"}", ""),
        (b"9" * 5000, "this is no JSON"),
        (b'["hello", 7]', "an object is expected, not an array"),
        (b'{"pid":7}', "is: one of hello, walls_up, bye is expected, not None"),
        (b'{"is":"part","name":""}', "is: one of hello, walls_up, bye is expected, not 'part'"),
        (b'{"is":"hello"}', "pid: it is missing"),
        (b'{"is":"hello","pid":"7"}', "pid: int is expected, not '7'"),
        (b'{"is":"hello","pid":7,"uid":0}', "uid: Hello has no such field"),
        (b'{"is":"hello","pid":7,"is":"bye"}', "pid: Bye has no such field"),
        (b'{"is":"walls_up","parts":[{"name":"a"},{"name":"b","errno":null}]}', "parts[1].errno: int is expected"),
    ],
)
def test_what_is_wrong_is_named(data: bytes, words: str) -> None:
    assert refuses(data).startswith(words)
    assert bool(refuses(data)) == bool(words) or "nested" in refuses(data)


def test_what_is_wrong_in_the_depth_is_found_in_one_walk() -> None:
    """Reading each level twice to say where it is would take 2**300 walks."""
    deep = b"[" * 300 + b'{"is":"no"}' + b"]" * 300
    assert refuses(b'{"is":"walls_up","value":' + deep + b"}").startswith("value" + "[0]" * 300)


def test_a_message_that_is_too_large_is_not_even_parsed() -> None:
    with pytest.raises(MalformedError, match="too large"):
        decode(b'{"is":"bye"}', (Bye,), 5)
    assert decode(b'{"is":"bye"}', (Bye,), 12) == Bye()
