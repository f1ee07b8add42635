"""Messages between processes: frozen values, as one line of JSON, which strace shows readably.

A message is a class with typed fields; ``is`` names it::

    class Hello(Message):
        pid: int

    encode(Hello(pid=7))      b'{"is":"hello","pid":7}'

Who receives says what may come, and gets one of these or MalformedError, whatever the other side has sent::

    def from_runner(data: bytes) -> Hello | Ready:
        return decode(data, (Hello, Ready))

Descriptors travel beside a message, not in it.
"""

from __future__ import annotations

from udock_lab.model.jsontext import from_json, to_json
from udock_lab.model.plain import MalformedError, revive_tagged, tagged
from udock_lab.model.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar, overload

    M = TypeVar("M", bound="Message")
    A = TypeVar("A", bound="Message")
    B = TypeVar("B", bound="Message")
    C = TypeVar("C", bound="Message")
    D = TypeVar("D", bound="Message")
    E = TypeVar("E", bound="Message")
    F = TypeVar("F", bound="Message")
    G = TypeVar("G", bound="Message")
    H = TypeVar("H", bound="Message")

__all__ = ["MalformedError", "Message", "decode", "encode"]

MOST = 8 << 20  # bytes of one message


class Message(Value):
    """The base of all messages."""


def encode(message: Message) -> bytes:
    """Return a message as bytes; TypeError for a field that does not hold what its type says, where that shows."""
    return to_json(tagged(message))


if TYPE_CHECKING:  # of more than eight: TYPES: tuple[type[Hello | Ready | ...], ...] = (Hello, Ready, ...)

    @overload
    def decode(data: bytes, types: tuple[type[A], type[B]], most: int = MOST) -> A | B: ...
    @overload
    def decode(data: bytes, types: tuple[type[A], type[B], type[C]], most: int = MOST) -> A | B | C: ...
    @overload
    def decode(data: bytes, types: tuple[type[A], type[B], type[C], type[D]], most: int = MOST) -> A | B | C | D: ...
    @overload
    def decode(
        data: bytes, types: tuple[type[A], type[B], type[C], type[D], type[E]], most: int = MOST
    ) -> A | B | C | D | E: ...
    @overload
    def decode(
        data: bytes, types: tuple[type[A], type[B], type[C], type[D], type[E], type[F]], most: int = MOST
    ) -> A | B | C | D | E | F: ...
    @overload
    def decode(
        data: bytes, types: tuple[type[A], type[B], type[C], type[D], type[E], type[F], type[G]], most: int = MOST
    ) -> A | B | C | D | E | F | G: ...
    @overload
    def decode(
        data: bytes,
        types: tuple[type[A], type[B], type[C], type[D], type[E], type[F], type[G], type[H]],
        most: int = MOST,
    ) -> A | B | C | D | E | F | G | H: ...
    @overload
    def decode(data: bytes, types: tuple[type[M], ...], most: int = MOST) -> M: ...


def decode(data: bytes, types: tuple[type[Any], ...], most: int = MOST) -> Any:
    """Return a message of one of ``types`` and at most ``most`` bytes; MalformedError alone for all else."""
    if len(data) > most:
        raise MalformedError(f"a message of {len(data)} bytes is too large; at most {most} are read")
    return revive_tagged(types, from_json(data))
