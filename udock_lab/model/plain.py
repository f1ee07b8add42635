"""The one codec between values and plain data: dict, list, str, int, float, bool, None and bytes.

What comes out can be carried by JSON (jsontext.py, which knows what to do with bytes) or by marshal; what goes in may
come from anybody and is held against the types that the class itself names: there is no second description. Types are
read when a class is first written or read, never when it is made: whoever may not compile anything later on, in a
child after fork or in an audit hook, calls :func:`prepare` before.

    a value                  an object of its fields, each written by its type
    tuple, list, frozenset   an array (a frozenset in the order of its texts)
    dict                     an object where keys are text, else an array of pairs
    a member of an Enum      its value
    X | None                 None, or what X is
    several values, A | B    an object that also says ``is``: which one (no field can have that name)
    object                   any data, which describes itself: an object says what it is, an array is a list
"""

from __future__ import annotations

import sys
from enum import Enum

from udock_lab.errors import MdockError
from udock_lab.model.value import Value, ValueType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    T = TypeVar("T")
    V = TypeVar("V", bound=Value)

__all__ = [
    "MalformedError",
    "bytes_in_text",
    "plain",
    "prepare",
    "read_stored",
    "revive",
    "revive_tagged",
    "stored",
    "tag",
    "tagged",
]

SCHEMA = "schema"


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


def plain(value: Value) -> dict[str, object]:
    """Return the fields of a value as plain data."""
    return {name: kind.write(getattr(value, name)) for name, kind in _shape(type(value)).items()}


def revive(cls: type[V], data: object) -> V:
    """Return the value that :func:`plain` wrote; MalformedError for anything else, a field that it has not included."""
    return _guarded(lambda: _read(cls, data, True))


def tagged(value: Value) -> dict[str, object]:
    """Do as :func:`plain` does; ``is`` says of which class the value is."""
    return {"is": tag(type(value))} | plain(value)


def revive_tagged(classes: tuple[type[V], ...], data: object) -> V:
    """Return the value of one of these classes that :func:`tagged` wrote; MalformedError for anything else."""
    return _guarded(lambda: _one_of(classes, data, True))


def stored(value: Value, schema: int) -> dict[str, object]:
    """Do as :func:`plain` does, for a file; ``schema`` grows when its shape would mislead older readers."""
    return {SCHEMA: schema} | plain(value)


def read_stored(
    cls: type[V],
    data: object,
    schema: int,
    lift: Callable[[dict[str, object], int], dict[str, object]] | None = None,
) -> V:
    """Return the value that :func:`stored` wrote, now or years ago; fields that are not known are somebody newer's.

    ``lift`` takes data of an older number (0: it says none) and returns it in today's shape. MalformedError, also for
    a number that is newer than ``schema``.
    """
    if not isinstance(data, dict):
        raise MalformedError(f"an object is expected, not {_named(data)}")
    found = data.get(SCHEMA, 0)
    if type(found) is not int or not 0 <= found <= schema:
        raise MalformedError(f"its schema is {_named(found)}, and this version reads up to {schema}")
    content = {name: item for name, item in data.items() if name != SCHEMA}
    if lift is not None and found < schema:
        content = _lifted(lift, content, found)
    return _guarded(lambda: _read(cls, content, False))


def _lifted(
    lift: Callable[[dict[str, object], int], dict[str, object]], content: dict[str, object], schema: int
) -> dict[str, object]:
    """Call ``lift``, which may take the data as it should be: where it is not, that is the data's fault."""
    try:
        return lift(content, schema)
    except (LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise MalformedError(f"this is not what older versions wrote: {type(error).__name__}: {error}") from error


def prepare(*classes: ValueType) -> None:
    """Read the types of these classes and of all that they hold now."""
    for cls in classes:
        if cls not in _SHAPES:
            for kind in _shape(cls).values():
                prepare(*kind.classes())


def tag(cls: type) -> str:
    """Return what ``is`` says of a class: its name in snake case."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in cls.__name__).lstrip("_")


def bytes_in_text(value: object) -> dict[str, str]:
    """Write bytes where a format has none, one character for each; for ``default=`` of a JSON encoder."""
    if not isinstance(value, bytes):
        raise TypeError(f"{type(value).__name__} is no plain data")
    return {"is": "bytes", "latin1": value.decode("latin-1")}


def _guarded(read: Callable[[], T]) -> T:
    """Call a reader; where it descends too deeply, that is the data's fault."""
    try:
        return read()
    except RecursionError:
        raise MalformedError("it is nested too deeply") from None


def _read(cls: type[V], data: object, strict: bool) -> V:
    if not isinstance(data, dict):
        raise MalformedError(f"an object is expected, not {_named(data)}")
    shape = _shape(cls)
    if strict and (unknown := [name for name in data if name not in shape]):
        raise MalformedError(f"{cls.__name__} has no such field", str(unknown[0])[:100])
    found: dict[str, Any] = {}
    for name, kind in shape.items():
        if name in data:
            found[name] = _below(name, kind, data[name], strict)
        elif name not in cls._defaults and name not in cls._factories:
            raise MalformedError("it is missing", name)
    try:
        return cls(**found)
    except (MdockError, TypeError, ValueError) as error:
        raise MalformedError(str(error)) from error


def _one_of(classes: tuple[type[V], ...], data: object, strict: bool) -> V:
    if not isinstance(data, dict):
        raise MalformedError(f"an object is expected, not {_named(data)}")
    for cls in classes:
        if data.get("is") == tag(cls):
            return _read(cls, {name: item for name, item in data.items() if name != "is"}, strict)
    raise MalformedError(f"one of {', '.join(map(tag, classes))} is expected, not {_named(data.get('is'))}", "is")


def _below(place: str, kind: _Kind, data: object, strict: bool) -> Any:
    try:
        return kind.read(data, strict)
    except MalformedError as error:
        raise error.below(place) from error.__cause__


def _named(data: object) -> str:
    """Say what it is, in a few characters."""
    if data is None or isinstance(data, (bool, int, float, str)):
        text = f"{data!r:.200}" if not isinstance(data, int) or abs(data) < 1 << 64 else "a huge number"
        return text if len(text) < 60 else f"{text[:56]}..."
    return "an object" if isinstance(data, dict) else "an array" if isinstance(data, (list, tuple)) else "bytes"


# -- one class for each kind of type -------------------------------------------------------------------


class _Kind:
    """How values of one type are written and read; ``python_type`` is what such a value is an instance of."""

    python_type: type = object

    def write(self, value: Any) -> object:
        """Return plain data for a value."""
        return value

    def read(self, data: Any, strict: bool) -> Any:
        """Return the value that plain data stands for; MalformedError. ``strict``: no field may be left over."""
        raise NotImplementedError

    def classes(self) -> tuple[ValueType, ...]:
        """Return the classes of values that it may hold."""
        return ()


class _Exactly(_Kind):
    """Text, whole numbers, truth values and None stand for themselves: True is no number, 1.0 no whole one."""

    def __init__(self, type_: type) -> None:
        self.python_type = type_

    def read(self, data: Any, strict: bool) -> Any:
        if type(data) is not self.python_type:
            raise MalformedError(f"{self.python_type.__name__} is expected, not {_named(data)}")
        return data


class _Float(_Kind):
    """A whole number will do."""

    python_type = float

    def read(self, data: Any, strict: bool) -> float:
        if type(data) is not float and type(data) is not int:
            raise MalformedError(f"a number is expected, not {_named(data)}")
        try:
            return float(data)
        except OverflowError:
            raise MalformedError(f"a number is expected, not {_named(data)}") from None


class _Bytes(_Kind):
    """Bytes, or what stands for them where there are none."""

    python_type = bytes

    def read(self, data: Any, strict: bool) -> bytes:
        if type(data) is bytes:
            return data
        text = data.get("latin1") if isinstance(data, dict) and data.get("is") == "bytes" else None
        if not isinstance(text, str):
            raise MalformedError(f"bytes are expected, not {_named(data)}")
        try:
            return text.encode("latin-1")
        except UnicodeEncodeError:
            raise MalformedError("bytes are expected, each as a character below U+0100") from None


class _Member(_Kind):
    """A member of an Enum, by its value."""

    def __init__(self, type_: type[Enum]) -> None:
        self.python_type: type[Enum] = type_

    def write(self, value: Enum) -> object:
        return value.value

    def read(self, data: Any, strict: bool) -> Enum:
        for member in self.python_type:
            if type(data) is type(member.value) and data == member.value:
                return member
        raise MalformedError(
            f"one of {', '.join(str(m.value) for m in self.python_type)} is expected, not {_named(data)}"
        )


class _Many(_Kind):
    """A tuple, list, set or frozenset of any length."""

    def __init__(self, type_: type, item: _Kind) -> None:
        self.python_type, self.item = type_, item

    def write(self, value: Any) -> list[object]:
        ordered = sorted(value, key=repr) if self.python_type in (set, frozenset) else value
        return [self.item.write(item) for item in ordered]

    def read(self, data: Any, strict: bool) -> Any:
        items = [_below(f"[{place}]", self.item, item, strict) for place, item in enumerate(_array(data))]
        return self.python_type(items)

    def classes(self) -> tuple[ValueType, ...]:
        return self.item.classes()


class _Row(_Kind):
    """A tuple of a fixed length, each place with a type of its own."""

    python_type = tuple

    def __init__(self, kinds: tuple[_Kind, ...]) -> None:
        self.kinds = kinds

    def write(self, value: Any) -> list[object]:
        return [kind.write(item) for kind, item in zip(self.kinds, value, strict=True)]

    def read(self, data: Any, strict: bool) -> tuple[Any, ...]:
        if len(_array(data)) != len(self.kinds):
            raise MalformedError(f"an array of {len(self.kinds)} is expected, not of {len(data)}")
        pairs = enumerate(zip(self.kinds, data, strict=True))
        return tuple([_below(f"[{place}]", kind, item, strict) for place, (kind, item) in pairs])

    def classes(self) -> tuple[ValueType, ...]:
        return tuple(cls for kind in self.kinds for cls in kind.classes())


class _Mapping(_Kind):
    """A dict."""

    python_type = dict

    def __init__(self, key: _Kind, item: _Kind) -> None:
        self.key, self.item = key, item

    def write(self, value: dict[Any, Any]) -> object:
        if self.key.python_type is str:
            return {key: self.item.write(item) for key, item in value.items()}
        return [[self.key.write(key), self.item.write(item)] for key, item in value.items()]

    def read(self, data: Any, strict: bool) -> dict[Any, Any]:
        if self.key.python_type is not str:
            pairs = _Many(list, _Row((self.key, self.item))).read(data, strict)
            return dict(pairs)
        if not isinstance(data, dict):
            raise MalformedError(f"an object is expected, not {_named(data)}")
        keys = [_below("its key", self.key, key, strict) for key in data]
        return {key: _below(f"[{key[:100]!r}]", self.item, data[key], strict) for key in keys}

    def classes(self) -> tuple[ValueType, ...]:
        return (*self.key.classes(), *self.item.classes())


class _Nested(_Kind):
    """A value; its shape is read when it is needed, since a class may hold itself."""

    def __init__(self, type_: ValueType) -> None:
        self.python_type: Any = type_

    def write(self, value: Value) -> object:
        return plain(value)

    def read(self, data: Any, strict: bool) -> Value:
        found: Value = _read(self.python_type, data, strict)
        return found

    def classes(self) -> tuple[ValueType, ...]:
        return (self.python_type,)


class _Union(_Kind):
    """One of several, told apart by their Python types; of several values each says which one it is."""

    def __init__(self, kinds: list[_Kind]) -> None:
        values = [kind for kind in kinds if isinstance(kind, _Nested)]
        self.tagged = tuple(kind.python_type for kind in values) if len(values) > 1 else ()
        self.others = [kind for kind in kinds if not (self.tagged and isinstance(kind, _Nested))]

    def write(self, value: Any) -> object:
        if type(value) in self.tagged:
            return tagged(value)
        for kind in self.others:
            if isinstance(value, kind.python_type):
                return kind.write(value)
        raise TypeError(f"{type(value).__name__} is none of what this field may hold")

    def read(self, data: Any, strict: bool) -> Any:
        candidates = [kind for kind in self.others if kind.python_type is not type(None)]
        if data is None and len(candidates) < len(self.others):
            return None
        if self.tagged and isinstance(data, dict) and "is" in data and data["is"] != "bytes":
            return _one_of(self.tagged, data, strict)
        if len(candidates) == 1 and not self.tagged:
            return candidates[0].read(data, strict)
        for kind in candidates:
            try:
                return kind.read(data, strict)
            except MalformedError:
                continue
        names = [*(kind.python_type.__name__ for kind in self.others), *map(tag, self.tagged)]
        raise MalformedError(f"one of {', '.join(names)} is expected, not {_named(data)}")

    def classes(self) -> tuple[ValueType, ...]:
        return (*self.tagged, *(cls for kind in self.others for cls in kind.classes()))


class _Anything(_Kind):
    """Data without a type: what is no plain data goes as its ``repr``."""

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
            raise MalformedError(f"plain data is expected, not {_named(data)}")
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
        raise MalformedError(f"an object without a type says what it is, not {_named(what)}", "is")


def _array(data: object) -> list[Any] | tuple[Any, ...]:
    if not isinstance(data, (list, tuple)):
        raise MalformedError(f"an array is expected, not {_named(data)}")
    return data


# -- from annotations to kinds -------------------------------------------------------------------------

_BYTES = _Bytes()
_COLLECTIONS: dict[str, type] = {"tuple": tuple, "set": set, "frozenset": frozenset}
_KINDS: dict[Any, _Kind] = {
    **{type_: _Exactly(type_) for type_ in (str, int, bool, type(None))},
    float: _Float(),
    bytes: _BYTES,
    object: _Anything(),
    None: _Exactly(type(None)),
}
_ALIAS: type[Any] = type(tuple[int])
_UNION: type[Any] = type(int | None)
_SHAPES: dict[ValueType, dict[str, _Kind]] = {}


def _shape(cls: ValueType) -> dict[str, _Kind]:
    """Find how each field of a class is written and read."""
    shape = _SHAPES.get(cls)
    if shape is None:
        shape = _SHAPES[cls] = {
            name: _kind(eval(text, vars(sys.modules[module])))  # noqa: S307 - what the class body says
            for name, (text, module) in cls._types.items()
        }
    return shape


def _kind(type_: Any) -> _Kind:
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
    raise TypeError(f"{type_!r} is no type that plain.py can write and read")
