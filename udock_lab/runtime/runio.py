"""What a run is given beside its spec: what flows in and out of it, and how it is made.

>>> from udock_lab import ContainerSpec, RunIO, RunOptions, Runtime
>>> spec = ContainerSpec(image="demo", argv=("/bin/cat",))
>>> Runtime().run(spec, RunIO(stdin="hello"), RunOptions(spare=False)).stdout   # doctest: +SKIP
b'hello'
"""

from __future__ import annotations

from udock_lab.errors import UsageError
from udock_lab.model.value import Value, fields
from udock_lab.runtime.given import arguments, callback, spec_of, switch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import IO, Any, TypeVar

    from udock_lab.model import ContainerSpec

    Stdin = int | bytes | str | IO[Any] | None
    OnOutput = Callable[[str, bytes], None]
    OnNote = Callable[[str], None]
    OnStart = Callable[[str], None]
    V = TypeVar("V", bound=Value)

__all__ = ["RunIO", "RunOptions", "asked_for", "given_once"]


class RunIO(Value):
    """What flows in and out of a run, and who listens. UsageError for what is no input and no function."""

    stdin: Stdin = None  # an open file or descriptor to inherit, text or bytes to read; None is /dev/null
    on_output: OnOutput | None = None  # gets ("stdout" | "stderr", bytes) as they come; of a detached run nothing
    on_note: OnNote | None = None  # gets mdock's own words
    on_start: OnStart | None = None  # gets the id at the start
    one_pipe: bool = False  # both outputs as one, in the order of writing (2>&1); all of it comes as stdout

    def __post_init__(self) -> None:
        """Refuse what is no input and no function; text becomes its bytes."""
        for name in ("on_output", "on_note", "on_start"):
            callback(name, getattr(self, name))
        if type(self.one_pipe) is not bool:
            object.__setattr__(self, "one_pipe", switch("one_pipe", self.one_pipe))
        source = self.source()
        if type(source) is bytes:
            object.__setattr__(self, "stdin", source)

    def source(self) -> int | bytes | None:
        """Return the descriptor to inherit, the bytes to read, or None. An open file stays the caller's."""
        given = self.stdin
        if given is None or type(given) is bytes or (type(given) is int and 0 <= given <= 2):
            return given
        found: int | bytes | None = arguments().standard_input(given)
        return found


class RunOptions(Value):
    """How a run is made. UsageError for what is neither on nor off."""

    spare: bool | None = None  # False forks within the run, so that the fork is in its timeline; None: as Runtime does
    snapshots: bool = False  # look at the process in /proc before its first step and just before exec

    def __post_init__(self) -> None:
        """Refuse what is neither on nor off."""
        if self.spare is not None and type(self.spare) is not bool:
            object.__setattr__(self, "spare", switch("spare", self.spare))
        if type(self.snapshots) is not bool:
            object.__setattr__(self, "snapshots", switch("snapshots", self.snapshots))


_FLOWS, _OPTIONS = tuple(fields(RunIO())), tuple(fields(RunOptions()))


def asked_for(
    image: object, second: object, io: object, options: object, given: dict[str, Any]
) -> tuple[ContainerSpec, RunIO, RunOptions]:
    """Return the three values that the arguments of ``run`` are or mean; UsageError for what two of them say.

    ``second``: the words of the program, or the RunIO. ``given``: the arguments by name, those that were said.
    """
    words, io = _argv_and_io(second, io)
    flows = {name: given.pop(name) for name in _FLOWS if name in given}
    made = {name: given.pop(name) for name in _OPTIONS if name in given}
    spec = spec_of(image, given if words is None else {"argv": words} | given)
    return spec, given_once(RunIO, "io", io, flows), given_once(RunOptions, "options", options, made)


def given_once(kind: type[V], name: str, value: object, said: dict[str, Any]) -> V:
    """Return ``value``, or what the arguments ``said`` make; UsageError for both at once, and for another type."""
    if value is None:
        return kind(**said)
    if isinstance(value, kind):
        for one in said:
            raise UsageError(
                f"{one} is given together with {name}, which says it all.",
                f"Write it there: {kind.__name__}({one}=...)",
            )
        return value
    return arguments().refuse(name, value, kind.__name__, f"For instance {name}={kind.__name__}(...).")  # type: ignore[no-any-return]


def _argv_and_io(second: object, io: object) -> tuple[Any, object]:
    """Tell whether the second argument of ``run`` is its words or its RunIO; UsageError where there are two of that."""
    if isinstance(second, RunOptions):
        raise UsageError(
            "RunOptions come third, or by their name.", "Write: runtime.run(spec, options=RunOptions(...))"
        )
    if not isinstance(second, RunIO):
        return second, io
    if io is not None:
        raise UsageError("io is given twice.", "Write it once: runtime.run(spec, RunIO(...))")
    return None, second
