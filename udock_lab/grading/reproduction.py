"""A reproduction: the smallest program in which a requirement is seen to fail, as a cell that a learner runs.

It is a function of an exercise's ``reproductions.py``. It takes the learner's functions that it needs, by their names,
then values by name, with those that show most mistakes. What it prints is the same each time::

    @reproduces("code", right="{well}", wanted={"well": True}, tries=[{"end": 3, "well": False}])
    def code(ends_well, *, end=0):
        print(ends_well(["/bin/sh", "-c", f"exit {end}"]))

Its body becomes the cell, its values are the cell's first lines. ``right`` is what a right answer prints, with the
values filled in, and those of ``wanted``, which no line of the cell names. Which values come: those of the try that
failed, where the judge has kept them (``tried`` of :meth:`Bench.fail`), then the function's own, then each of
``tries``: the first with which the learner's functions print something else.
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pprint import pformat

__all__ = ["Reproduction", "reproduces", "written"]

MORE = "\n..."  # at the end of what a right answer prints
WIDTH = 100  # columns of a cell's line
_AGAIN = re.compile(rb"(.{1,40}?)\1{29,}", re.DOTALL)  # the same over and over


@dataclass(frozen=True, slots=True, kw_only=True)
class Reproduction:
    """One program, which ends after so many ``seconds``.

    ``values``: its own, name to value; ``wanted``: those of ``right`` alone; ``tries``: others for both. ``shrinks``
    names a list of which parts may be left out: all but those in the value ``stay``, which a right answer needs.
    """

    key: str
    right: str
    functions: tuple[str, ...]
    body: str
    values: Mapping[str, object]
    wanted: Mapping[str, object]
    tries: tuple[Mapping[str, object], ...] = ()
    shrinks: str = ""
    seconds: float = 5.0

    def ways(self, tried: Mapping[str, object]) -> Iterator[dict[str, object]]:
        """Yield the values with which it may be run, those of the try that failed first."""
        if tried:
            yield {**self.values, **self.wanted, **tried}
        for one in ({}, *self.tries):
            yield {**self.values, **self.wanted, **one}

    def shorter(self, values: Mapping[str, object]) -> Iterator[dict[str, object]]:
        """Yield the same values with less in the list that shrinks: halves left out, then quarters, and so on."""
        lines, stay = values.get(self.shrinks), values.get("stay")
        if not isinstance(lines, list) or not isinstance(stay, list):
            return
        size = len(lines)
        while size > 1:
            size = (size + 1) // 2
            for begin in range(0, len(lines), size):
                left = [line for at, line in enumerate(lines) if not begin <= at < begin + size or line in stay]
                if len(left) < len(lines):
                    yield {**values, self.shrinks: left}

    def program(self, values: Mapping[str, object]) -> str:
        """Return the code: a line for each value that it uses, then what it does."""
        given = [f"{name} = {written(value)}\n" for name, value in values.items() if name in self.values]
        return "".join(given) + self.body

    def printed(self, values: Mapping[str, object]) -> str:
        """Return what a right answer prints; where it ends in ``...``, more may follow."""
        return self.right.format(**values)

    def is_right(self, values: Mapping[str, object], stdout: str) -> bool:
        """Return whether this is what a right answer prints."""
        wanted = self.printed(values).strip()
        if wanted.endswith(MORE):
            return stdout.startswith(wanted.removesuffix(MORE))
        return stdout.strip() == wanted


def reproduces(
    key: str,
    *,
    right: str,
    wanted: Mapping[str, object] | None = None,
    tries: Sequence[Mapping[str, object]] = (),
    shrinks: str = "",
    seconds: float = 5.0,
) -> Callable[[Callable[..., None]], Reproduction]:
    """Make a reproduction of a function, for the requirement of that key. Braces in ``right`` name values."""

    def make(function: Callable[..., None]) -> Reproduction:
        parameters = inspect.signature(function).parameters.values()
        return Reproduction(
            key=key,
            right=right,
            functions=tuple(one.name for one in parameters if one.kind is one.POSITIONAL_OR_KEYWORD),
            body=_body(function),
            values={one.name: one.default for one in parameters if one.kind is one.KEYWORD_ONLY},
            wanted=dict(wanted or {}),
            tries=tuple(tries),
            shrinks=shrinks,
            seconds=seconds,
        )

    return make


def _body(function: Callable[..., None]) -> str:
    """Return what a function does, without its head and its docstring."""
    source = textwrap.dedent(inspect.getsource(function))
    node = ast.parse(source).body[0]
    assert isinstance(node, ast.FunctionDef)
    first = node.body[0]
    described = ast.get_docstring(node) is not None
    begin = (first.end_lineno or first.lineno) if described else first.lineno - 1
    return textwrap.dedent("\n".join(source.split("\n")[begin:])).strip("\n") + "\n"


def written(value: object) -> str:
    """Write a value as Python does: one part of a list a line, and what repeats itself as a product."""
    if isinstance(value, list) and len(repr(value)) > WIDTH - 10:
        return "[\n" + "".join(f"    {written(part)},\n" for part in value) + "]"
    if isinstance(value, str | bytes):
        return _text(value)
    return pformat(value, width=WIDTH)


def _text(value: str | bytes) -> str:
    data = value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value
    parts, at = [], 0
    for found in _AGAIN.finditer(data):
        if found.start() > at:
            parts.append(_literal(data[at : found.start()], value))
        times = (found.end() - found.start()) // len(found[1])
        parts.append(f"{_literal(found[1], value)} * {times}")
        at = found.end()
    if at < len(data) or not parts:
        parts.append(_literal(data[at:], value))
    return " + ".join(parts)


def _literal(data: bytes, like: str | bytes) -> str:
    return repr(data.decode("utf-8", "surrogateescape") if isinstance(like, str) else data)
