"""The base of all values: what ``@dataclass(frozen=True, slots=True, kw_only=True)`` gives, without its import.

A class names its fields as a dataclass does::

    class Image(Value):
        name: str
        created: str = ""

and its values are made by keyword (``Image(name="demo")``), cannot be changed, and are equal where class and fields
are.

Why not dataclasses: that module imports inspect, ast and re, and then writes and compiles Python for each class, half
a millisecond each. Together that was a third of a cold ``mdock run``. Here nothing is compiled: making a class
(:class:`ValueType`) moves its annotations to ``__slots__`` and its defaults aside, a few microseconds' work, and all
classes share the methods of :class:`Value`, which go through the names of the fields. For type checkers it is a
dataclass all the same (PEP 681); only they see ``typing``.

This holds for every file on the way to a start: of ``mdock run``, the launcher, its forker, a keeper, a runner. What
they import is paid for at each start, and what is imported before a fork is copied at each fork. So::

    TYPE_CHECKING = False          type checkers take it for true, whatever it is set to (mypy: "Runtime or type time")
    if TYPE_CHECKING:
        import signal              types alone, or the module whose enums checkers know
        from typing import Any
    else:
        import _signal as signal   the module's half in C, with the same names and plain numbers

``typing`` is 4 ms, ``signal`` makes an enum of each number, ``socket`` and ``json`` bring ``enum`` and ``re``. A test
pins what each start imports; files that are on no such way import ``typing``, which is plainer.

A module of values begins with ``from __future__ import annotations``: annotations are text, which costs nothing until
plain.py reads it.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from inspect import Signature
    from typing import Any, Self, TypeVar, dataclass_transform

    T = TypeVar("T")
    V = TypeVar("V", bound="Value")
else:

    def dataclass_transform(**_: object) -> object:
        """Stand in for typing's own, which only type checkers see."""
        return lambda made: made


__all__ = ["Value", "ValueType", "field", "fields", "make_later", "replace"]

_set = object.__setattr__


class _Fresh:
    """The default of a field that is made anew for each value."""

    __slots__ = ("factory",)

    def __init__(self, factory: Callable[[], object]) -> None:
        self.factory = factory


def field(*, factory: Callable[[], T]) -> T:
    """Give a field a default that is made anew for each value.

    For instance ``files: dict[str, bytes] = field(factory=dict)``.
    """
    return _Fresh(factory)  # type: ignore[return-value]


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(field,))
class ValueType(type):
    """What makes the classes: their fields become slots, their defaults stand in a table."""

    _names: tuple[str, ...]
    _types: dict[str, tuple[str, str]]  # of each field its annotation, and the module that it stands in
    _defaults: dict[str, object]
    _factories: dict[str, Callable[[], object]]

    def __new__(mcs, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> ValueType:
        own = {key: (text, namespace["__module__"]) for key, text in _annotated(name, namespace).items()}
        given = {key: namespace.pop(key) for key in own if key in namespace}
        beside = namespace.get("__slots__", ())  # for what is no field
        cls = super().__new__(mcs, name, bases, namespace | {"__slots__": (*own, *beside)})
        above = [base for base in bases if isinstance(base, ValueType)]
        defaults = {key: value for base in above for key, value in base._defaults.items() if key not in own}
        factories = {key: make for base in above for key, make in base._factories.items() if key not in own}
        for key, default in given.items():
            if isinstance(default, _Fresh):
                factories[key] = default.factory
            elif type(default).__hash__ is None:
                raise TypeError(f"{name}.{key}: its default could be changed; write field(factory=...)")
            else:
                defaults[key] = default
        cls._types = {key: type_ for base in above for key, type_ in base._types.items()} | own
        cls._names = tuple(cls._types)
        cls._defaults, cls._factories = defaults, factories
        return cls

    @property
    def __signature__(cls) -> Signature:
        """Show help and completion each field, its type and its default."""
        from inspect import Parameter, Signature

        defaults = cls._defaults | {name: make() for name, make in cls._factories.items()}
        kind, none = Parameter.KEYWORD_ONLY, Parameter.empty
        return Signature(
            [
                Parameter(name, kind, annotation=text, default=defaults.get(name, none))
                for name, (text, _) in cls._types.items()
            ]
        )


def _annotated(name: str, namespace: dict[str, Any]) -> dict[str, str]:
    """Return the fields that a class body names, with their annotations."""
    found: dict[str, object] = namespace.get("__annotations__", {})
    fields = {key: text for key, text in found.items() if isinstance(text, str)}
    if len(fields) != len(found) or "__annotate_func__" in namespace:  # the latter from Python 3.14 on
        raise TypeError(f"{name}: the module of a value begins with: from __future__ import annotations")
    return {key: text for key, text in fields.items() if not text.startswith("ClassVar")}


class Value(metaclass=ValueType):
    """A frozen value, made by keyword: TypeError for a field that is missing or unknown.

    A class may have ``__post_init__``, which is called when the fields are set, to refuse or to convert them
    (``object.__setattr__``). Copies and pickles are made without it. ``case Image(name=name)`` matches by field.
    """

    def __init__(self, /, **given: object) -> None:
        cls = type(self)
        found = cls._defaults | given
        if cls._factories:
            found = {name: make() for name, make in cls._factories.items() if name not in given} | found
        names = cls._names
        if len(found) != len(names):
            raise _wrong_fields(cls, given)
        try:
            for name in names:
                _set(self, name, found[name])
        except KeyError:
            raise _wrong_fields(cls, given) from None
        self.__post_init__()

    def __post_init__(self) -> None:
        """Refuse or convert nothing."""

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self is other or _items(self) == _items(other)

    def __hash__(self) -> int:
        return hash(_items(self))

    def __repr__(self) -> str:
        return f"{type(self).__qualname__}({', '.join(f'{name}={value!r}' for name, value in fields(self).items())})"

    def __replace__(self, /, **changes: object) -> Self:
        """Serve ``copy.replace`` of Python 3.13 and later."""
        return type(self)(**fields(self) | changes)

    def __getstate__(self) -> dict[str, object]:
        return fields(self)

    def __setstate__(self, state: dict[str, object]) -> None:
        for name, value in state.items():
            _set(self, name, value)

    if not TYPE_CHECKING:  # checkers know that it is frozen

        def __setattr__(self, name: str, value: object) -> None:
            raise AttributeError(f"{type(self).__name__} is frozen; for a changed copy: replace(value, {name}=...)")

        def __delattr__(self, name: str) -> None:
            raise AttributeError(f"{type(self).__name__} is frozen: {name} cannot be deleted")

        def __getattr__(self, name: str) -> object:
            """Make a field that is still to be made (:func:`make_later`): only then is it missing."""
            make = None if name == "_makers" else getattr(self, "_makers", {}).get(name)
            if make is None:
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}", name=name, obj=self)
            made = make()
            _set(self, name, made)
            return made


def _items(value: Value) -> tuple[object, ...]:
    return tuple([getattr(value, name) for name in type(value)._names])


def _wrong_fields(cls: ValueType, given: dict[str, object]) -> TypeError:
    """Say it in Python's own words for keyword arguments."""
    if unknown := [name for name in given if name not in cls._names]:
        has = f"it has {', '.join(cls._names)}" if cls._names else "it has no fields"
        return TypeError(f"{cls.__name__}() got an unexpected keyword argument {unknown[0]!r}; {has}")
    found = cls._defaults.keys() | cls._factories.keys() | given.keys()
    missing = [name for name in cls._names if name not in found]
    return TypeError(f"{cls.__name__}() missing {', '.join(missing)}")


def fields(value: Value) -> dict[str, object]:
    """Return the fields by name, in the order of the class; what they hold stays as it is."""
    return {name: getattr(value, name) for name in type(value)._names}


def make_later(value: Value, name: str, make: Callable[[], object]) -> None:
    """Have a field made when somebody looks at it for the first time, whether to compare, to show or to copy it.

    The value's class has a slot ``_makers``, where it is remembered how.
    """
    object.__delattr__(value, name)
    _set(value, "_makers", {name: make})


def replace(value: V, /, **changes: object) -> V:
    """Return a copy with some fields changed; made anew, so ``__post_init__`` looks at it, too."""
    return value.__replace__(**changes)
