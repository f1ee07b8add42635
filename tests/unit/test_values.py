"""The base of mdock's values: what a frozen dataclass with keywords and slots gives, without its import."""

from __future__ import annotations

import copy
import inspect
import pickle
import subprocess
import sys
from collections.abc import Callable
from typing import ClassVar

import cloudpickle
import pytest

from udock_lab.model.value import Value, field, fields, make_later, replace


class Point(Value):
    """A place."""

    x: int
    y: int = 0
    names: tuple[str, ...] = ()


class Weighed(Point):
    weight: float
    files: dict[str, bytes] = field(factory=dict)
    units: ClassVar[str] = "kg"

    def __post_init__(self) -> None:
        if self.weight < 0:
            raise ValueError("less than nothing")

    @property
    def twice(self) -> float:
        return 2 * self.weight


def test_values_with_the_same_fields_are_equal_and_have_one_hash() -> None:
    assert Point(x=1) == Point(x=1, y=0, names=()) != Point(x=2)
    assert {Point(x=1), Point(x=1), Point(x=2)} == {Point(x=1), Point(x=2)}
    assert Point(x=1) != Weighed(x=1, weight=1.0), "of another class"
    assert Point(x=1) != (1, 0, ())


def test_a_value_with_a_dict_has_no_hash_as_a_dict_has_none() -> None:
    with pytest.raises(TypeError, match="unhashable"):
        hash(Weighed(x=1, weight=1.0))


def test_a_value_says_what_it_holds() -> None:
    assert repr(Point(x=1, names=("a",))) == "Point(x=1, y=0, names=('a',))"
    assert str(inspect.signature(Point)) == "(*, x: 'int', y: 'int' = 0, names: 'tuple[str, ...]' = ())"
    assert list(inspect.signature(Weighed).parameters) == ["x", "y", "names", "weight", "files"]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Point(), "Point() missing x"),
        (lambda: Weighed(y=1), "Weighed() missing x, weight"),
        (lambda: Point(x=1, z=2), "Point() got an unexpected keyword argument 'z'; it has x, y, names"),
        (lambda: Point(z=2), "Point() got an unexpected keyword argument 'z'; it has x, y, names"),
        (lambda: replace(Point(x=1), z=2), "Point() got an unexpected keyword argument 'z'; it has x, y, names"),
        (lambda: Point(1), "takes 1 positional argument but 2 were given"),
    ],
)
def test_a_field_that_is_missing_or_unknown_is_named(make: Callable[[], object], words: str) -> None:
    with pytest.raises(TypeError) as caught:
        make()
    assert words in str(caught.value)


def test_a_value_cannot_be_changed() -> None:
    point = Point(x=1)
    for change in (lambda: setattr(point, "x", 2), lambda: setattr(point, "new", 2), lambda: delattr(point, "x")):
        with pytest.raises(AttributeError, match="frozen"):
            change()
    assert not hasattr(point, "__dict__")


def test_a_changed_copy_is_looked_at_as_a_new_value_is() -> None:
    value = Weighed(x=1, weight=1.0)
    assert replace(value, weight=3.0, y=2) == Weighed(x=1, y=2, weight=3.0)
    assert value.weight == 1.0
    with pytest.raises(ValueError, match="less than nothing"):
        replace(value, weight=-1.0)


if sys.version_info >= (3, 13):  # which has copy.replace

    def test_copy_replace_knows_values() -> None:
        assert copy.replace(Point(x=1), y=2) == Point(x=1, y=2)


def test_a_default_that_could_be_shared_and_changed_is_refused() -> None:
    with pytest.raises(TypeError, match=r"Bad\.items"):
        type(Value)("Bad", (Value,), {"__annotations__": {"items": "list[int]"}, "__module__": __name__, "items": []})
    first, second = Weighed(x=1, weight=1.0), Weighed(x=1, weight=1.0)
    first.files["a"] = b""
    assert second.files == {}


@pytest.mark.parametrize(
    "through",
    [
        copy.copy,
        copy.deepcopy,
        *(lambda value, n=n: pickle.loads(pickle.dumps(value, n)) for n in range(2, pickle.HIGHEST_PROTOCOL + 1)),
        lambda value: pickle.loads(cloudpickle.dumps(value)),
    ],
)
def test_values_survive_copies_and_pickles(through: Callable[[Value], Value]) -> None:
    value = Weighed(x=1, weight=2.0, names=("a", "b"), files={"f": b"\xff"})
    assert through(value) == value
    assert fields(through(value)) == fields(value)


class Told(Value):
    name: str
    words: tuple[str, ...] = ()
    __slots__ = ("_makers",)


def told_later(asked: list[str]) -> Told:
    def words() -> tuple[str, ...]:
        asked.append("asked")
        return ("a", "b")

    value = Told(name="x")
    make_later(value, "words", words)
    return value


def test_a_field_that_is_made_later_is_made_once_when_somebody_looks() -> None:
    asked: list[str] = []
    value = told_later(asked)
    assert (value.name, asked) == ("x", [])
    assert (value.words, value.words, asked) == (("a", "b"), ("a", "b"), ["asked"])
    assert not hasattr(value, "more")


@pytest.mark.parametrize(
    "through",
    [copy.copy, copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value)), replace, lambda value: value],
)
def test_a_value_with_a_field_that_is_made_later_is_like_any_other(through: Callable[[Told], Told]) -> None:
    value, made = told_later([]), Told(name="x", words=("a", "b"))
    assert through(value) == made
    assert (repr(told_later([])), hash(told_later([])), fields(told_later([]))) == (
        repr(made),
        hash(made),
        fields(made),
    )


def test_a_pattern_matches_by_field() -> None:
    match Weighed(x=1, weight=2.0):
        case Weighed(weight=weight, y=0):
            assert weight == 2.0
        case _:
            raise AssertionError


def test_a_subclass_adds_fields_and_may_give_others_a_default() -> None:
    class Origin(Point):
        x: int = 0

    assert Origin() == Origin(x=0)
    assert Weighed(x=1, weight=1.5).twice == 3.0
    assert Weighed.units == "kg"


def test_annotations_that_are_no_text_are_refused() -> None:
    code = "from udock_lab.model.value import Value\nclass A(Value):\n    x: int\n"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "from __future__ import annotations" in done.stderr.splitlines()[-1]
