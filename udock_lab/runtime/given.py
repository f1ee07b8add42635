"""What callers gave to a :class:`~udock_lab.runtime.engine.Runtime`, as what mdock works with.

What is plain already passes as it is. The file that checks and converts the rest is imported only then: a start pays
for no more than it uses.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from udock_lab.errors import UsageError
from udock_lab.model import Container, ContainerSpec, Image, Limits, Record, RunResult
from udock_lab.model.value import fields

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    Word = str | bytes | os.PathLike[str] | float  # of a command line: what is no text stands for its text
    Variables = Mapping[str, Word] | Iterable[tuple[str, Word]] | Iterable[str]
    Handle = Container | Record | RunResult  # what has a container id

__all__ = ["arguments", "callback", "container_id_of", "image_name", "path", "said", "spec_of", "switch", "words"]


def arguments() -> ModuleType:
    """Import the file that checks arguments, for a value that is not plain already."""
    from udock_lab.text import arguments

    return arguments


def said(**arguments: object) -> dict[str, Any]:
    """Return the arguments that were given: None stands for one that was not."""
    return {name: value for name, value in arguments.items() if value is not None}


def spec_of(image: object, said: dict[str, Any]) -> ContainerSpec:
    """Return the spec that the arguments of ``run`` mean; UsageError for what is said beside a spec."""
    if not isinstance(image, ContainerSpec):
        if limits := {name: said.pop(name) for name in ("memory", "cpu", "files") if name in said}:
            said["limits"] = Limits(**limits)
        return ContainerSpec(image=image, **said)  # type: ignore[arg-type]
    for name in said:
        where = f"limits=Limits({name}=...)" if name in fields(Limits()) else f"{name}=..."
        beside = "   Beside it go RunIO(...) and RunOptions(...)." if name == "argv" else ""
        raise UsageError(
            f"{name} is given together with a spec, which says it all.",
            f"Write it into the spec: ContainerSpec(image={image.image!r}, {where}){beside}",
        )
    return image


def switch(name: str, value: bool) -> bool:
    """Return True or False; UsageError for what is neither."""
    return value if type(value) is bool else bool(arguments().switch(name, value))


def path(name: str, value: str | os.PathLike[str]) -> str:
    """Return a path as text; UsageError for what is none."""
    return str(arguments().path(name, value))


def words(name: str, value: Iterable[Word]) -> tuple[str, ...]:
    """Return the words of a command line; UsageError for what is none."""
    return tuple(arguments().words(name, value))


def callback(name: str, value: Any) -> Any:
    """Return the function to call, or None; UsageError for what is neither."""
    return arguments().callback(name, value) if value is not None and not callable(value) else value


def image_name(value: str | Image) -> str:
    """Return an image's name, from a name or from an image; UsageError for what is neither."""
    if isinstance(value, Image):
        return value.name
    return value if type(value) is str else str(arguments().text("name", value, "the name of an image", "demo"))


def container_id_of(value: str | Handle, name: str = "container_id") -> str:
    """Return a container's id, from an id or from what has one: a result, a record, a line of ``ps``."""
    if isinstance(value, Container | Record | RunResult):
        value = value.id
    return value if type(value) is str else str(arguments().text(name, value, "a container id", "c1"))
