"""The codec between values and plain data."""

from __future__ import annotations

import json
import marshal
import subprocess
import sys
from enum import Enum
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from udock_lab.errors import UsageError
from udock_lab.model.jsontext import from_json, to_json
from udock_lab.model.plain import MalformedError, handed, plain, read_stored, revive, revive_handed, stored
from udock_lab.model.value import Value, field


class Colour(str, Enum):
    RED = "red"
    BLUE = "blue"


class Level(Enum):
    LOW = 1
    HIGH = 2


class Leaf(Value):
    name: str
    size: int = 0


class Twig(Value):
    leaves: tuple[Leaf, ...] = ()
    below: tuple[Twig, ...] = ()


class Fruit(Value):
    name: str
    weight: float

    def __post_init__(self) -> None:
        if self.weight < 0:
            raise UsageError("A fruit weighs something.")


class Tree(Value):
    """Every kind of type that a field may have."""

    name: str
    age: int
    height: float = 1.0
    alive: bool = True
    nothing: None = None
    seed: bytes = b""
    colour: Colour = Colour.RED
    level: Level | None = None
    owner: str | None = None
    mark: int | str | bytes | None = None
    pair: tuple[int, str] = (1, "a")
    pairs: tuple[tuple[str, str], ...] = ()
    tags: frozenset[str] = frozenset()
    numbers: dict[str, int] = field(factory=dict)
    names: dict[int, str] = field(factory=dict)
    files: dict[str, bytes] = field(factory=dict)
    leaf: Leaf = Leaf(name="first")
    maybe: Leaf | None = None
    grows: Leaf | Fruit | None = None
    all: tuple[Leaf | Fruit, ...] = ()
    crown: Twig = Twig()
    anything: object = None


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.binary(max_size=8).map(
    lambda data: data.decode("utf-8", "surrogateescape")
)
LEAVES = st.builds(Leaf, name=TEXT, size=st.integers())
FRUITS = st.builds(Fruit, name=TEXT, weight=st.floats(min_value=0, allow_nan=False))
TWIGS = st.recursive(
    st.builds(Twig, leaves=st.lists(LEAVES, max_size=2).map(tuple)),
    lambda below: st.builds(Twig, below=st.lists(below, max_size=2).map(tuple)),
    max_leaves=4,
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT | st.binary(max_size=8)
DATA = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(SCALARS, inner, max_size=3)
        | st.frozensets(SCALARS, max_size=3)
        | st.sets(SCALARS, max_size=3)
    ),
    max_leaves=8,
)
TREES = st.builds(
    Tree,
    name=TEXT,
    age=st.integers(),
    height=st.floats(allow_nan=False),
    alive=st.booleans(),
    seed=st.binary(max_size=20),
    colour=st.sampled_from(Colour),
    level=st.none() | st.sampled_from(Level),
    owner=st.none() | TEXT,
    mark=st.none() | TEXT | st.integers() | st.binary(max_size=5),
    pair=st.tuples(st.integers(), TEXT),
    pairs=st.lists(st.tuples(TEXT, TEXT), max_size=2).map(tuple),
    tags=st.frozensets(TEXT, max_size=3),
    numbers=st.dictionaries(TEXT, st.integers(), max_size=2),
    names=st.dictionaries(st.integers(), TEXT, max_size=2),
    files=st.dictionaries(TEXT, st.binary(max_size=9), max_size=2),
    leaf=LEAVES,
    maybe=st.none() | LEAVES,
    grows=st.none() | LEAVES | FRUITS,
    all=st.lists(LEAVES | FRUITS, max_size=3).map(tuple),
    crown=TWIGS,
    anything=DATA,
)


@given(tree=TREES)
@example(tree=Tree(name="\udcff", age=1 << 70, seed=bytes(range(256))))
def test_a_value_comes_back_from_json_and_from_marshal_as_it_was(tree: Tree) -> None:
    assert revive(Tree, plain(tree)) == tree
    assert revive(Tree, marshal.loads(marshal.dumps(plain(tree)))) == tree
    text = to_json(plain(tree))
    assert text.isascii()
    assert revive(Tree, from_json(text)) == tree
    assert revive(Tree, from_json(to_json(plain(tree), indented=True))) == tree


@given(tree=TREES)
def test_equal_values_have_equal_text(tree: Tree) -> None:
    again = revive(Tree, from_json(to_json(plain(tree))))
    assert to_json(plain(again)) == to_json(plain(tree))


def good() -> dict[str, Any]:
    found: dict[str, Any] = plain(Tree(name="oak", age=3, all=(Leaf(name="a"), Fruit(name="b", weight=1.0))))
    return found


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": 3}, "name: str is expected, not 3"),
        ({"age": True}, "age: int is expected, not True"),
        ({"age": 3.0}, "age: int is expected, not 3.0"),
        ({"alive": 1}, "alive: bool is expected, not 1"),
        ({"height": "1"}, "height: a number is expected, not '1'"),
        ({"height": 10**400}, "height: a number is expected, not a huge number"),
        ({"seed": "abc"}, "seed: bytes are expected, not 'abc'"),
        ({"seed": {"is": "bytes", "latin1": "\u0100"}}, "seed: bytes are expected, each as a character"),
        ({"colour": "green"}, "colour: one of red, blue is expected, not 'green'"),
        ({"colour": ["red"]}, "colour: one of red, blue is expected, not an array"),
        ({"level": True}, "level: one of 1, 2 is expected, not True"),
        ({"mark": 1.5}, "mark: one of int, str, bytes, NoneType is expected, not 1.5"),
        ({"pair": [1]}, "pair: an array of 2 is expected, not of 1"),
        ({"pairs": [["a", "b"], ["a", 1]]}, "pairs[1][1]: str is expected, not 1"),
        ({"numbers": {"a": "b"}}, "numbers['a']: int is expected, not 'b'"),
        ({"numbers": []}, "numbers: an object is expected, not an array"),
        ({"names": {"a": "b"}}, "names: an array is expected, not an object"),
        ({"leaf": [1]}, "leaf: an object is expected, not an array"),
        ({"leaf": {"size": 1}}, "leaf.name: it is missing"),
        ({"leaf": {"name": "a", "colour": 1}}, "leaf.colour: Leaf has no such field"),
        ({"maybe": {"name": 1}}, "maybe.name: str is expected, not 1"),
        ({"grows": {"is": "stone"}}, "grows.is: one of leaf, fruit is expected, not 'stone'"),
        ({"grows": {"name": "a"}}, "grows: one of NoneType, leaf, fruit is expected, not an object"),
        ({"all": [{"is": "fruit", "name": "a", "weight": -1.0}]}, "all[0]: A fruit weighs something."),
        ({"crown": {"below": [{"below": [{"leaves": 1}]}]}}, "crown.below[0].below[0].leaves: an array is expected"),
        ({"anything": {"a": 1}}, "anything.is: an object without a type says what it is, not None"),
        ({"anything": {"is": "set", "items": [[1]]}}, "anything: what is in this set can be in none"),
        ({"anything": {"is": "dict", "items": [[[1], 1]]}}, "anything: what is in this dict can be in none"),
        ({"bark": 1}, "bark: Tree has no such field"),
    ],
)
def test_bad_data_is_refused_by_the_name_of_the_field(change: dict[str, Any], words: str) -> None:
    with pytest.raises(MalformedError) as caught:
        revive(Tree, good() | change)
    assert str(caught.value).startswith(words)


@pytest.mark.parametrize("data", [None, [], "tree", 3, b"", [["name", "oak"]]])
def test_what_is_no_object_is_no_value(data: object) -> None:
    with pytest.raises(MalformedError, match="an object is expected"):
        revive(Tree, data)


def test_data_nested_too_deeply_is_refused() -> None:
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(MalformedError, match="nested too deeply"):
        revive(Tree, good() | {"anything": deep})
    with pytest.raises(MalformedError, match="no JSON"):
        from_json(b"[" * 1_000_000)


def test_a_type_that_the_codec_does_not_know_is_the_programmers_fault() -> None:
    with pytest.raises(TypeError, match="is no type that"):
        revive(Odd, {"x": 1})


class Odd(Value):
    x: complex


# --- what is stored -----------------------------------------------------------------------------------


class Kept(Value):
    id: str
    words: tuple[str, ...] = ()


def lift(data: dict[str, object], schema: int) -> dict[str, object]:
    if schema < 1:
        data = data | {"words": str(data["line"]).split()}
    if schema < 2:
        data = data | {"id": f"c{data['number']}"}
    return data


def test_what_is_stored_says_its_schema_and_is_read_again() -> None:
    kept = Kept(id="c1", words=("a",))
    assert stored(kept, schema=2) == {"schema": 2, "id": "c1", "words": ["a"]}
    assert read_stored(Kept, stored(kept, schema=2), schema=2) == kept


def test_an_old_shape_is_lifted_and_one_without_a_number_is_the_oldest() -> None:
    wanted = Kept(id="c1", words=("a", "b"))
    assert read_stored(Kept, {"number": 1, "line": "a b"}, 2, lift) == wanted
    assert read_stored(Kept, {"schema": 1, "number": 1, "words": ["a", "b"]}, 2, lift) == wanted


def test_a_field_that_a_newer_version_added_is_ignored() -> None:
    assert read_stored(Kept, {"schema": 2, "id": "c1", "colour": "red"}, 2) == Kept(id="c1")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"schema": 3, "id": "c1"}, "its schema is 3, and this version reads up to 2"),
        ({"schema": "2", "id": "c1"}, "its schema is '2', and this version reads up to 2"),
        ({"schema": -1}, "its schema is -1, and this version reads up to 2"),
        ({"schema": 2}, "id: it is missing"),
        ({"schema": 0, "words": 1}, "this is not what older versions wrote"),
        ([], "an object is expected, not an array"),
    ],
)
def test_what_cannot_be_read_says_why(data: object, words: str) -> None:
    with pytest.raises(MalformedError) as caught:
        read_stored(Kept, data, 2, lift)
    assert str(caught.value).startswith(words)


def test_the_json_of_bytes_can_be_read_by_a_person() -> None:
    assert json.loads(to_json(plain(Tree(name="", age=0, seed=b"seed"))))["seed"] == {"is": "bytes", "latin1": "seed"}


@given(tree=TREES)
def test_every_value_is_handed_over_unchanged_between_processes_of_our_own(tree: Tree) -> None:
    assert revive_handed({"tree": Tree}, marshal.loads(marshal.dumps(handed(tree)))) == tree


@pytest.mark.parametrize(
    "data", [("leaf", {"name": "x"}), ("leaf", {"name": "x", "length": 1}), ("tree", {}), {"is": "leaf"}, None]
)
def test_what_another_version_hands_over_is_refused(data: object) -> None:
    with pytest.raises(MalformedError):
        revive_handed({"leaf": Leaf}, data)


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.just("\udcff"),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(data=PLAIN)
def test_what_the_c_half_of_json_writes_and_reads_is_what_json_does(data: object) -> None:
    import json

    text = json.dumps(data, separators=(",", ":")).encode()
    assert to_json(data) == text and from_json(text) == json.loads(text)
    assert from_json(json.dumps(data, indent=2).encode() + b"\n") == data


OTHER = """
import sys, types
gone = types.SimpleNamespace(make_encoder=lambda: None, make_scanner=None, encode_basestring_ascii=None)
import json
sys.modules["_json"] = {half}
from udock_lab.model.jsontext import MalformedError, from_json, quoted, to_json
data = {{"a": [1, 2.5, None, True, "\\u00e4\\udcff", b"\\xff"]}}
print(to_json(data).decode(), from_json(to_json(data)), ascii(quoted("\\u00e4")))
for text in (b"", b"{{", b"1 2", b"[" * 100_000):
    try:
        print(from_json(text))
    except MalformedError as error:
        print(str(error).partition(":")[0])
"""


@pytest.mark.parametrize("half", ["None", "gone"])
def test_a_python_with_another_c_half_of_json_reads_and_writes_the_same(half: str) -> None:
    said = [
        subprocess.run(
            [sys.executable, "-c", OTHER.format(half=one)], capture_output=True, text=True, check=True
        ).stdout
        for one in (half, "sys.modules['_json']")
    ]
    assert said[0] == said[1]
    assert said[0].count("this is no JSON") == 4


@pytest.mark.parametrize(
    "text", ["", " ", "{", "[1,]", "nul", "1 2", '"\x01"', "+1", "01", "[1]]", '{"a" 1}', "\ufeff1"]
)
def test_what_json_refuses_is_refused(text: str) -> None:
    import json

    with pytest.raises(ValueError):
        json.loads(text)
    with pytest.raises(MalformedError, match="no JSON"):
        from_json(text.encode())
