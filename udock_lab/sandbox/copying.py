"""How a notebook's objects are copied into the sandbox: cloudpickle, and what it leaves out.

A lock, a C library or a cache at the top of a notebook are ordinary things for code about processes to use. What
they stand for can be made anew on the other side: an open lock, the same library, an empty cache.
"""

from __future__ import annotations

import ctypes
import functools
import io
import operator
import select
import sys
import threading
import types
from collections.abc import Callable
from typing import Any

from cloudpickle import CloudPickler

__all__ = ["dumps"]

_Reduced = tuple[Callable[..., Any], tuple[Any, ...]]  # object.__reduce__: what makes it, from what
_MADE_ANEW: dict[type, Callable[[], Any]] = {
    type(threading.Lock()): threading.Lock,
    type(threading.RLock()): threading.RLock,
    threading.local: threading.local,
    type(select.poll()): select.poll,
}
_FUNCTION = type(ctypes.CDLL(None).getpid).__mro__[1]  # every C function's class
_SIMPLE = ctypes.c_int.__mro__[1]  # c_int's class, and every other single value's
_POINTER = type(ctypes.pointer(ctypes.c_int())).__mro__[1]
_BYTE_ORDERS = ("__ctype_be__", "__ctype_le__")  # the same type, big-endian and little-endian
_FLAG_USE_ERRNO = 0x8  # FUNCFLAG_USE_ERRNO
_EXITS = ("ExitAutocall", "ZMQExitAutocall")  # of IPython and of ipykernel
_NO_FILE = "<dynamic-code>"  # what cloudpickle calls every file
_CACHE = type(functools.lru_cache(abs))


def dumps(value: object) -> bytes:
    """Return one pickle; raise whatever an object's own __reduce__ raises."""
    file = io.BytesIO()
    _Pickler(file).dump(value)  # type: ignore[no-untyped-call]
    return file.getvalue()


class _Pickler(CloudPickler):
    def reducer_override(self, obj: Any) -> Any:
        reduced = _of_a_class(obj) if isinstance(obj, type) else _of_an_object(obj)
        return super().reducer_override(obj) if reduced is None else reduced  # type: ignore[no-untyped-call]


def _of_an_object(obj: Any) -> _Reduced | None:
    if isinstance(obj, types.CodeType):
        return _with_its_file(obj)
    if type(obj) in _MADE_ANEW:
        return _MADE_ANEW[type(obj)], ()
    if type(obj).__name__ in _EXITS:  # exit and quit of an interactive shell, which hold the shell itself
        return getattr, (sys, "exit")
    if _is_of_the_shell(obj):
        return _Absent, (getattr(obj, "__name__", "") or type(obj).__name__,)
    for name in ("stdout", "stderr"):
        if obj is getattr(sys, name):
            return getattr, (sys, name)
    if isinstance(obj, ctypes.CDLL):
        functions = {name: _prototype(f) for name, f in vars(obj).items() if isinstance(f, _FUNCTION)}
        return _library, (type(obj), obj._name, _uses_errno(obj._FuncPtr), functions)
    if isinstance(obj, _FUNCTION) and hasattr(obj, "__name__"):
        return _function, (obj.__name__, _uses_errno(type(obj)), _prototype(obj))
    if isinstance(obj, _CACHE) and obj.__module__ == "__main__":
        return _cached, (obj.__wrapped__, obj.cache_parameters())
    return None


def _is_of_the_shell(obj: Any) -> bool:
    """Return whether this is the interactive shell itself, or a method of it: get_ipython."""
    owner = getattr(obj, "__self__", obj) if isinstance(obj, types.MethodType) else obj
    module = getattr(type(owner), "__module__", "")
    return module in ("ipykernel.zmqshell", "IPython.terminal.interactiveshell")


class _Absent:
    """Stands for what only a notebook has: whoever calls it hears so."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, *_arguments: object, **_named: object) -> None:
        """Raise NameError, as where there is no notebook."""
        raise NameError(f"name {self.name!r} is not defined: it belongs to the notebook and is not in here")


def _with_its_file(code: types.CodeType) -> _Reduced:
    """Keep the name of the file, or cell, that tracebacks quote; cloudpickle puts another in its place."""
    reduced = CloudPickler.dispatch_table[types.CodeType](code)
    assert isinstance(reduced, tuple)
    make, parts = reduced[:2]
    return make, tuple(code.co_filename if part == _NO_FILE else part for part in parts)


def _of_a_class(cls: Any) -> _Reduced | None:
    """Reduce C types that were made in the notebook."""
    if issubclass(cls, _FUNCTION) and hasattr(cls, "_argtypes_"):
        return _prototype_class, (cls._restype_, cls._argtypes_, _uses_errno(cls))
    named = getattr(sys.modules.get(cls.__module__), cls.__qualname__, None)
    if cls.__module__.startswith(("ctypes", "_ctypes")) and named is cls:
        return None  # can be imported, unlike an array's or a pointer's class, whose module differs by version
    if issubclass(cls, ctypes.Array):
        return operator.mul, (cls._type_, cls._length_)
    if issubclass(cls, _POINTER):
        return ctypes.POINTER, (cls._type_,)
    for order in _BYTE_ORDERS:  # a field of a BigEndianStructure: c_int's other half
        if getattr(named, order, None) is cls:
            return getattr, (named, order)
    if issubclass(cls, ctypes.Structure | ctypes.Union | _SIMPLE):
        kept = {name: value for name, value in vars(cls).items() if _is_written(cls, name)}
        return _structure, (cls.__name__, cls.__bases__, kept)
    return None


def _is_written(cls: Any, name: str) -> bool:
    """Return whether this was in the class's block, and not added by the machine."""
    return name not in {
        "__dict__",
        "__weakref__",
        *_BYTE_ORDERS,
        *(field[0] for field in cls.__dict__.get("_fields_", ())),
    }


def _prototype(function: Any) -> tuple[Any, Any]:
    return function.restype, function.argtypes


def _uses_errno(function_class: Any) -> bool:
    return bool(function_class._flags_ & _FLAG_USE_ERRNO)


# --- on the other side


def _library(cls: type[ctypes.CDLL], name: str | None, use_errno: bool, functions: dict[str, tuple[Any, Any]]) -> Any:
    library = cls(name, use_errno=use_errno)
    for function, prototype in functions.items():
        _declare(getattr(library, function), prototype)
    return library


def _function(name: str, use_errno: bool, prototype: tuple[Any, Any]) -> Any:
    """Return a function of the C library, or of another one that Python has loaded."""
    return _declare(ctypes.CDLL(None, use_errno=use_errno)[name], prototype)


def _declare(function: Any, prototype: tuple[Any, Any]) -> Any:
    function.restype, argument_types = prototype
    if argument_types is not None:
        function.argtypes = argument_types
    return function


def _prototype_class(result: Any, arguments: tuple[Any, ...], use_errno: bool) -> Any:
    return ctypes.CFUNCTYPE(result, *arguments, use_errno=use_errno)


def _cached(function: Callable[..., Any], parameters: dict[str, Any]) -> Any:
    return functools.lru_cache(**parameters)(function)


def _structure(name: str, bases: tuple[type, ...], block: dict[str, Any]) -> type:
    return type(bases[0])(name, bases, block)
