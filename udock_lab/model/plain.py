"""The one codec between values and plain data: dict, list, str, int, float, bool, None and bytes.

What comes out can be carried by JSON (jsontext.py, which knows what to do with bytes) or by marshal; what goes in may
come from anybody and is held against the types that the class itself names: there is no second description. They are
read when a class is first written or read (which compiles their text), never when it is made.

    a value                  an object of its fields, each written by its type
    tuple, list, frozenset   an array (a frozenset in the order of its texts)
    dict                     an object where keys are text, else an array of pairs
    a member of an Enum      its value
    X | None                 None, or what X is
    several values, A | B    an object that also says ``is``: which one (no field can have that name)
    object                   any data, which describes itself: an object says what it is, an array is a list
"""

from __future__ import annotations

from udock_lab.model.kinds import (
    Kind,
    MalformedError,
    hand_over,
    is_object,
    name_of,
    read_one_of,
    read_value,
    shape,
    shown,
    take_over,
    write_tagged,
    write_value,
)
from udock_lab.model.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    T = TypeVar("T")
    V = TypeVar("V", bound=Value)
    Lift = Callable[[dict[str, object], int], dict[str, object]]

__all__ = [
    "MalformedError",
    "bytes_in_text",
    "check_schema",
    "handed",
    "plain",
    "read_stored",
    "revive",
    "revive_handed",
    "revive_tagged",
    "salvage",
    "stored",
    "tag",
    "tagged",
]

SCHEMA = "schema"


def plain(value: Value) -> dict[str, object]:
    """Return the fields of a value as plain data."""
    return write_value(value)


def revive(cls: type[V], data: object) -> V:
    """Return the value that :func:`plain` wrote; MalformedError for anything else, a field that it has not included."""
    return _guarded(lambda: read_value(cls, data, True))


def tagged(value: Value) -> dict[str, object]:
    """Do as :func:`plain` does; ``is`` says of which class the value is."""
    return write_tagged(value)


def revive_tagged(classes: tuple[type[V], ...], data: object) -> V:
    """Return the value of one of these classes that :func:`tagged` wrote; MalformedError for anything else."""
    return _guarded(lambda: read_one_of(classes, data, True))


def handed(value: Value) -> tuple[str, dict[str, object]]:
    """Return a value for a process of our own, through marshal: which one it is, and its fields.

    What marshal carries stays as it is; nested values and members of an Enum become plain data.
    """
    return name_of(type(value)), hand_over(value)


def revive_handed(classes: dict[str, type[V]], data: object) -> V:
    """Return the value that :func:`handed` gave away; MalformedError for one of another version.

    ``classes``: those that may come, by their tags. A sender of our own sends what it was given, so what the fields
    hold is not checked again.
    """
    if type(data) is not tuple or len(data) != 2 or data[0] not in classes:
        raise MalformedError(f"one of {', '.join(classes)} is expected, not {shown(data)}")
    return take_over(classes[data[0]], data[1])


def stored(value: Value, schema: int) -> dict[str, object]:
    """Do as :func:`plain` does, for a file; ``schema`` grows when its shape would mislead older readers."""
    return {SCHEMA: schema} | write_value(value)


def read_stored(cls: type[V], data: object, schema: int, lift: Lift | None = None) -> V:
    """Return the value that :func:`stored` wrote, now or years ago; fields that are not known are somebody newer's.

    ``lift`` takes data of an older number (0: it says none) and returns it in today's shape. MalformedError, also for
    a number that is newer than ``schema``.
    """
    return _guarded(lambda: read_value(cls, _content(data, schema, lift), False))


def salvage(cls: type[V], data: object, schema: int, lift: Lift | None = None) -> V:
    """Do as :func:`read_stored` does, for files that people edit: a field that does not fit counts as missing.

    MalformedError for a number that is newer than ``schema``, and for what is no object at all.
    """
    content = _content(data, schema, lift)
    try:
        return _guarded(lambda: read_value(cls, content, False))
    except MalformedError:
        kinds = shape(cls)
        fits = {name: item for name, item in content.items() if name in kinds and _fits(kinds[name], item)}
        return _guarded(lambda: read_value(cls, fits, False))


def check_schema(data: dict[str, object], schema: int) -> int:
    """Return the number that stored data have; MalformedError for one that is newer than ``schema``, or none."""
    found = data.get(SCHEMA, 0)
    if type(found) is not int or not 0 <= found <= schema:
        raise MalformedError(f"its schema is {shown(found)}, and this version reads up to {schema}")
    return found


def tag(cls: type) -> str:
    """Return what ``is`` says of a class: its name in snake case."""
    return name_of(cls)


def bytes_in_text(value: object) -> dict[str, str]:
    """Write bytes where a format has none, one character for each; for ``default=`` of a JSON encoder."""
    if not isinstance(value, bytes):
        raise TypeError(f"{type(value).__name__} is no plain data")
    return {"is": "bytes", "latin1": value.decode("latin-1")}


def _content(data: object, schema: int, lift: Lift | None) -> dict[str, object]:
    """Take what is stored in today's shape; its number may stay in it, since no field has that name."""
    given = is_object(data)
    found = check_schema(given, schema)
    if lift is None or found == schema:
        return given
    try:  # what lifts an old shape may take it as it should be
        return lift({name: item for name, item in given.items() if name != SCHEMA}, found)
    except (LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise MalformedError(f"this is not what older versions wrote: {type(error).__name__}: {error}") from error


def _fits(kind: Kind, data: object) -> bool:
    try:
        kind.read(data, False)
    except (MalformedError, RecursionError):
        return False
    return True


def _guarded(read: Callable[[], T]) -> T:
    """Call a reader; where it descends too deeply, that is the data's fault."""
    try:
        return read()
    except RecursionError:
        raise MalformedError("it is nested too deeply") from None
