"""How values of each type are written as plain data, and read from it: one class for each kind of type.

A class of values names the types of its fields; :func:`shape` turns them into kinds when they are first needed.
plain.py, which is what others call, says how plain data look.
"""

from __future__ import annotations

import sys
from enum import Enum

from udock_lab.errors import MdockError
from udock_lab.model.value import Value, ValueType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar

    V = TypeVar("V", bound=Value)

__all__ = [
    "Kind",
    "MalformedError",
    "hand_over",
    "is_object",
    "name_of",
    "read_one_of",
    "read_value",
    "shape",
    "shown",
    "take_over",
    "write_tagged",
    "write_value",
]


class MalformedError(ValueError):
    """Data that does not fit its type. ``where`` names the field, for instance ``steps[3].errno``."""

    def __init__(self, problem: str, where: str = "") -> None:
        super().__init__(problem, where)
        self.problem, self.where = problem, where

    def __str__(self) -> str:
        return f"{self.where}: {self.problem}" if self.where else self.problem

    def below(self, place: str) -> MalformedError:
        """Return the same error as it is seen from one level up."""
        dot = "." if self.where and not self.where.startswith("[") else ""
        return MalformedError(self.problem, f"{place}{dot}{self.where}")


def write_value(value: Value) -> dict[str, object]:
    """Write the fields of a value, each by its kind."""
    found: dict[str, object] = {}
    for name, kind in shape(type(value)).items():
        item = getattr(value, name)
        found[name] = item if type(item) in kind.as_it_is else kind.write(item)
    return found


def write_tagged(value: Value) -> dict[str, object]:
    """Write the fields of a value, and of which class it is."""
    return {"is": name_of(type(value)), **write_value(value)}


def name_of(cls: type) -> str:
    """Return what ``is`` says of a class: its name in snake case."""
    name = _NAMES.get(cls)
    if name is None:
        letters = (f"_{letter.lower()}" if letter.isupper() else letter for letter in cls.__name__)
        name = _NAMES[cls] = "".join(letters).lstrip("_")
    return name


def is_object(data: object) -> dict[str, object]:
    """Return ``data`` if it is an object; MalformedError if it is not."""
    if not isinstance(data, dict):
        raise MalformedError(f"an object is expected, not {shown(data)}")
    return data


def read_value(cls: type[V], data: object, strict: bool) -> V:
    """Make a value of its fields; MalformedError, also for a field that there is none of where it is ``strict``."""
    given, kinds = is_object(data), shape(cls)
    if strict and not given.keys() <= kinds.keys():
        unknown = next(name for name in given if name not in kinds)
        raise MalformedError(f"{cls.__name__} has no such field", str(unknown)[:100])
    made = cls.__new__(cls)  # its fields are set here, in a third of the time that a call with all of them takes
    for name, kind in kinds.items():
        if name in given:
            item = given[name]
            if type(item) not in kind.as_it_is:
                try:
                    item = kind.read(item, strict)
                except MalformedError as error:
                    raise error.below(name) from error.__cause__
        elif name in cls._defaults:
            item = cls._defaults[name]
        elif name in cls._factories:
            item = cls._factories[name]()
        else:
            raise MalformedError("it is missing", name)
        _set(made, name, item)
    try:
        made.__post_init__()
        return made
    except (MdockError, TypeError, ValueError) as error:
        raise MalformedError(str(error)) from error


def read_one_of(classes: tuple[type[V], ...], data: object, strict: bool) -> V:
    """Read a value of the class that ``is`` names."""
    given = is_object(data)
    for cls in classes:
        if given.get("is") == name_of(cls):
            return read_value(cls, {name: item for name, item in given.items() if name != "is"}, strict)
    raise MalformedError(f"one of {', '.join(map(name_of, classes))} is expected, not {shown(given.get('is'))}", "is")


def hand_over(value: Value) -> dict[str, object]:
    """Return the fields of a value for a process of our own, which gets them through marshal (:func:`take_over`)."""
    return {
        name: getattr(value, name) if kind.travels else kind.hand_over(getattr(value, name))
        for name, kind in shape(type(value)).items()
    }


def take_over(cls: type[V], data: dict[str, Any]) -> V:
    """Make the value whose fields these are. MalformedError where they are another version's."""
    kinds = shape(cls)
    if data.keys() != kinds.keys():
        raise MalformedError(f"these are not the fields of {cls.__name__}: {', '.join(data)}"[:200])
    made = cls.__new__(cls)
    for name, kind in kinds.items():
        _set(made, name, data[name] if kind.travels else kind.take_over(data[name]))
    return made


def shown(data: object) -> str:
    """Say what it is, in a few characters."""
    if data is None or isinstance(data, (bool, int, float, str)):
        text = f"{data!r:.200}" if not isinstance(data, int) or abs(data) < 1 << 64 else "a huge number"
        return text if len(text) < 60 else f"{text[:56]}..."
    return "an object" if isinstance(data, dict) else "an array" if isinstance(data, (list, tuple)) else "bytes"


class Kind:
    """How values of one type are written and read; ``python_type`` is what such a value is an instance of.

    Data of a type in ``as_it_is`` stand for themselves and need be neither written nor read: a message is mostly such.
    ``travels``: marshal carries each such value as it is, so between processes of our own there is nothing to do.
    """

    python_type: type = object
    as_it_is: frozenset[type] = frozenset()
    travels = False

    def write(self, value: Any) -> object:
        """Return plain data for a value."""
        return value

    def read(self, data: Any, strict: bool) -> Any:
        """Return the value that plain data stands for; MalformedError. ``strict``: no field may be left over."""
        raise NotImplementedError

    def hand_over(self, value: Any) -> object:
        """Return what marshal carries to a process of our own."""
        return self.write(value)

    def take_over(self, data: Any) -> Any:
        """Return the value that :meth:`hand_over` gave away."""
        return self.read(data, True)


class _Exactly(Kind):
    """Text, whole numbers, truth values and None stand for themselves: True is no number, 1.0 no whole one."""

    travels = True

    def __init__(self, type_: type) -> None:
        self.python_type = type_
        self.as_it_is = frozenset({type_})

    def read(self, data: Any, strict: bool) -> Any:
        if type(data) is not self.python_type:
            raise MalformedError(f"{self.python_type.__name__} is expected, not {shown(data)}")
        return data


class _Float(Kind):
    """A whole number will do."""

    python_type = float
    as_it_is = frozenset({float})
    travels = True

    def read(self, data: Any, strict: bool) -> float:
        if type(data) is not float and type(data) is not int:
            raise MalformedError(f"a number is expected, not {shown(data)}")
        try:
            return float(data)
        except OverflowError:
            raise MalformedError(f"a number is expected, not {shown(data)}") from None


class _Bytes(Kind):
    """Bytes, or what stands for them where there are none."""

    python_type = bytes
    as_it_is = frozenset({bytes})
    travels = True

    def read(self, data: Any, strict: bool) -> bytes:
        if type(data) is bytes:
            return data
        text = data.get("latin1") if isinstance(data, dict) and data.get("is") == "bytes" else None
        if not isinstance(text, str):
            raise MalformedError(f"bytes are expected, not {shown(data)}")
        try:
            return text.encode("latin-1")
        except UnicodeEncodeError:
            raise MalformedError("bytes are expected, each as a character below U+0100") from None


class _Member(Kind):
    """A member of an Enum, by its value."""

    def __init__(self, type_: type[Enum]) -> None:
        self.python_type: type[Enum] = type_
        self._members = {(type(member.value), member.value): member for member in type_}
        self._types = {type(member.value) for member in type_}

    def write(self, value: Enum) -> object:
        return value.value

    def read(self, data: Any, strict: bool) -> Enum:
        if type(data) in self._types and (member := self._members.get((type(data), data))) is not None:
            return member
        raise MalformedError(
            f"one of {', '.join(str(m.value) for m in self.python_type)} is expected, not {shown(data)}"
        )


class _Many(Kind):
    """A tuple, list, set or frozenset of any length."""

    def __init__(self, type_: type, item: Kind) -> None:
        self.python_type, self.item = type_, item
        self.travels = item.travels

    def write(self, value: Any) -> list[object]:
        ordered = sorted(value, key=repr) if self.python_type in (set, frozenset) else value
        if self.item.as_it_is.issuperset(map(type, ordered)):
            return list(ordered)
        return [self.item.write(item) for item in ordered]

    def read(self, data: Any, strict: bool) -> Any:
        given, read, items = _array(data), self.item.read, list[object]()
        if self.item.as_it_is.issuperset(map(type, given)):
            return self.python_type(given)
        try:
            for item in given:
                items.append(read(item, strict))
        except MalformedError as error:
            raise error.below(f"[{len(items)}]") from error.__cause__
        return self.python_type(items)


class _Row(Kind):
    """A tuple of a fixed length, each place with a type of its own."""

    python_type = tuple

    def __init__(self, kinds: tuple[Kind, ...]) -> None:
        self.kinds = kinds
        self.travels = all(kind.travels for kind in kinds)
        self._types = [kind.python_type if kind.python_type in kind.as_it_is else None for kind in kinds]

    def write(self, value: Any) -> list[object]:
        if [*map(type, value)] == self._types:
            return list(value)
        return [kind.write(item) for kind, item in zip(self.kinds, value, strict=True)]

    def read(self, data: Any, strict: bool) -> tuple[Any, ...]:
        if len(_array(data)) != len(self.kinds):
            raise MalformedError(f"an array of {len(self.kinds)} is expected, not of {len(data)}")
        if [*map(type, data)] == self._types:
            return tuple(data)
        items: list[object] = []
        try:
            for kind, item in zip(self.kinds, data, strict=True):
                items.append(kind.read(item, strict))
        except MalformedError as error:
            raise error.below(f"[{len(items)}]") from error.__cause__
        return tuple(items)


class _Mapping(Kind):
    """A dict."""

    python_type = dict

    def __init__(self, key: Kind, item: Kind) -> None:
        self.key, self.item = key, item
        self.travels = key.travels and item.travels

    def write(self, value: dict[Any, Any]) -> object:
        if self._is_plain(value):
            return dict(value)
        if self.key.python_type is str:
            return {key: self.item.write(item) for key, item in value.items()}
        return [[self.key.write(key), self.item.write(item)] for key, item in value.items()]

    def read(self, data: Any, strict: bool) -> dict[Any, Any]:
        if self.key.python_type is not str:
            pairs = _Many(list, _Row((self.key, self.item))).read(data, strict)
            return dict(pairs)
        if not isinstance(data, dict):
            raise MalformedError(f"an object is expected, not {shown(data)}")
        if self._is_plain(data):
            return dict(data)
        found, key = {}, ""
        try:
            for key, item in data.items():
                found[self.key.read(key, strict)] = self.item.read(item, strict)
        except MalformedError as error:
            raise error.below(f"[{key!r:.100}]") from error.__cause__
        return found

    def _is_plain(self, data: dict[Any, Any]) -> bool:
        """Return whether it stands for itself."""
        are_texts = self.key.python_type is str and self.key.as_it_is.issuperset(map(type, data))
        return are_texts and self.item.as_it_is.issuperset(map(type, data.values()))


class _Nested(Kind):
    """A value; its shape is read when it is needed, since a class may hold itself."""

    def __init__(self, type_: ValueType) -> None:
        self.python_type: Any = type_

    def write(self, value: Value) -> object:
        return write_value(value)

    def read(self, data: Any, strict: bool) -> Value:
        found: Value = read_value(self.python_type, data, strict)
        return found

    def hand_over(self, value: Value) -> object:
        return hand_over(value)

    def take_over(self, data: Any) -> Value:
        found: Value = take_over(self.python_type, data)
        return found


class _Union(Kind):
    """One of several, told apart by their Python types; of several values each says which one it is."""

    def __init__(self, kinds: list[Kind]) -> None:
        values = [kind for kind in kinds if isinstance(kind, _Nested)]
        self.tagged = tuple(kind.python_type for kind in values) if len(values) > 1 else ()
        self.others = [kind for kind in kinds if not (self.tagged and isinstance(kind, _Nested))]
        self.as_it_is = frozenset(type_ for kind in self.others for type_ in kind.as_it_is)
        self.travels = not self.tagged and all(kind.travels for kind in self.others)
        possible = [kind for kind in self.others if kind.python_type is not type(None)]
        self._only = possible[0] if len(possible) == 1 and len(self.others) == 2 and not self.tagged else None

    def write(self, value: Any) -> object:
        if type(value) in self.tagged:
            return write_tagged(value)
        for kind in self.others:
            if isinstance(value, kind.python_type):
                return kind.write(value)
        raise TypeError(f"{type(value).__name__} is none of what this field may hold")

    def read(self, data: Any, strict: bool) -> Any:
        candidates = [kind for kind in self.others if kind.python_type is not type(None)]
        if data is None and len(candidates) < len(self.others):
            return None
        if self.tagged and isinstance(data, dict) and "is" in data and data["is"] != "bytes":
            return read_one_of(self.tagged, data, strict)
        if len(candidates) == 1 and not self.tagged:
            return candidates[0].read(data, strict)
        for kind in candidates:
            try:
                return kind.read(data, strict)
            except MalformedError:
                continue
        names = [*(kind.python_type.__name__ for kind in self.others), *map(name_of, self.tagged)]
        raise MalformedError(f"one of {', '.join(names)} is expected, not {shown(data)}")

    def hand_over(self, value: Any) -> object:
        if self._only is None:
            return self.write(value)
        return None if value is None else self._only.hand_over(value)

    def take_over(self, data: Any) -> Any:
        if self._only is None:
            return self.read(data, True)
        return None if data is None else self._only.take_over(data)


class _Anything(Kind):
    """Data without a type: what is no plain data goes as its ``repr``."""

    as_it_is = frozenset({type(None), bool, int, float, str, bytes})

    def write(self, value: Any) -> object:
        if isinstance(value, Enum):
            return self.write(value.value)
        if value is None or isinstance(value, (bool, int, float, str, bytes)):
            return value
        if isinstance(value, dict):
            return {"is": "dict", "items": [[self.write(key), self.write(item)] for key, item in value.items()]}
        if isinstance(value, list):
            return [self.write(item) for item in value]
        if isinstance(value, (tuple, set, frozenset)):
            name = next(name for name, type_ in _COLLECTIONS.items() if isinstance(value, type_))
            return {"is": name, "items": _Many(_COLLECTIONS[name], self).write(value)}
        return repr(value)

    def read(self, data: Any, strict: bool) -> Any:
        if data is None or isinstance(data, (bool, int, float, str, bytes)):
            return data
        if isinstance(data, (list, tuple)):
            return _Many(list, self).read(data, strict)
        if not isinstance(data, dict):
            raise MalformedError(f"plain data is expected, not {shown(data)}")
        what, items = data.get("is"), data.get("items")
        try:
            if what == "bytes":
                return _BYTES.read(data, strict)
            if what == "dict":
                return _Mapping(self, self).read(items, strict)
            if isinstance(what, str) and what in _COLLECTIONS:
                return _Many(_COLLECTIONS[what], self).read(items, strict)
        except TypeError:  # a list as a key, or in a set
            raise MalformedError(f"what is in this {what} can be in none") from None
        raise MalformedError(f"an object without a type says what it is, not {shown(what)}", "is")


def _array(data: object) -> list[Any] | tuple[Any, ...]:
    if not isinstance(data, (list, tuple)):
        raise MalformedError(f"an array is expected, not {shown(data)}")
    return data


# -- from annotations to kinds -------------------------------------------------------------------------

_BYTES = _Bytes()
_COLLECTIONS: dict[str, type] = {"tuple": tuple, "set": set, "frozenset": frozenset}
_KINDS: dict[Any, Kind] = {
    **{type_: _Exactly(type_) for type_ in (str, int, bool, type(None))},
    float: _Float(),
    bytes: _BYTES,
    object: _Anything(),
    None: _Exactly(type(None)),
}
_set = object.__setattr__
_ALIAS: type[Any] = type(tuple[int])
_UNION: type[Any] = type(int | None)
_SHAPES: dict[ValueType, dict[str, Kind]] = {}
_NAMES: dict[type, str] = {}


def shape(cls: ValueType) -> dict[str, Kind]:
    """Find how each field of a class is written and read."""
    shape = _SHAPES.get(cls)
    if shape is None:
        shape = _SHAPES[cls] = {
            name: _kind(eval(text, vars(sys.modules[module])))  # noqa: S307 - what the class body says
            for name, (text, module) in cls._types.items()
        }
    return shape


def _kind(type_: Any) -> Kind:
    """Find how values of one type are written and read; TypeError for a type that this codec does not know."""
    if (known := _KINDS.get(type_)) is not None:
        return known
    if isinstance(type_, ValueType):
        return _Nested(type_)
    if isinstance(type_, _UNION):
        return _Union([_kind(one) for one in type_.__args__])
    if isinstance(type_, _ALIAS):
        made, inner = type_.__origin__, type_.__args__
        if made is dict:
            return _Mapping(_kind(inner[0]), _kind(inner[1]))
        if made is tuple and inner[-1:] != (...,):
            return _Row(tuple(_kind(one) for one in inner))
        if made in (tuple, list, set, frozenset):
            return _Many(made, _kind(inner[0]))
    elif isinstance(type_, type) and issubclass(type_, Enum):
        return _Member(type_)
    raise TypeError(f"{type_!r} is no type that values can write and read")
