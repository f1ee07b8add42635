"""What a run is given beside its spec: what flows in and out of it, and how it is made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from udock_lab.model.value import Value
from udock_lab.runtime.given import arguments, callback, switch

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import IO, Any

    Stdin = int | bytes | str | IO[Any] | None
    OnOutput = Callable[[str, bytes], None]
    OnNote = Callable[[str], None]
    OnStart = Callable[[str], None]

__all__ = ["RunIO"]


class RunIO(Value):
    """What flows in and out of a run, and who listens. UsageError for what is no input and no function."""

    stdin: Stdin = None  # an open file or descriptor to inherit, text or bytes to read; None is /dev/null
    on_output: OnOutput | None = None  # gets ("stdout" | "stderr", bytes) as they come
    on_note: OnNote | None = None  # gets mdock's own words
    on_start: OnStart | None = None  # gets the id at the start
    one_pipe: bool = False  # both outputs as one, in the order of writing (2>&1); all of it comes as stdout

    def __post_init__(self) -> None:
        """Refuse what is meant for nothing; text becomes its bytes."""
        for name in ("on_output", "on_note", "on_start"):
            callback(name, getattr(self, name))
        object.__setattr__(self, "one_pipe", switch("one_pipe", self.one_pipe))
        source = self.source()
        if isinstance(source, bytes):
            object.__setattr__(self, "stdin", source)

    def source(self) -> int | bytes | None:
        """Return the descriptor to inherit, the bytes to read, or None. An open file stays the caller's."""
        if self.stdin is None or type(self.stdin) is bytes or (type(self.stdin) is int and 0 <= self.stdin <= 2):
            return self.stdin
        found: int | bytes | None = arguments().standard_input(self.stdin)
        return found
