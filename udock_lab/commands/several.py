"""Commands that take several names: each is done, each failure is said, one failure makes exit code 1."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from udock_lab.commands.base import Context, Outcome
from udock_lab.errors import MdockError

__all__ = ["each"]


def each(names: Iterable[str], do: Callable[[str], object], context: Context) -> Outcome:
    """Call ``do`` with every name. What it returns is the line shown; None stands for the name itself."""
    from udock_lab.commands.results import Lines

    done: Lines[object] = Lines()
    errors: list[MdockError] = []
    for name in names:
        try:
            answer = do(name)
        except MdockError as error:
            errors.append(error)
            context.failed(error)
            continue
        done.append(name if answer is None else answer)
        context.succeeded(str(done[-1]))
    return Outcome(exit_code=1 if errors else 0, value=done, errors=tuple(errors), shown=True)
