"""Commands that take several names: each is done, each failure is said, one failure makes exit code 1."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from udock_lab.commands.base import Context, Outcome
from udock_lab.errors import MdockError

__all__ = ["at_once", "each"]


def at_once(do: Callable[[str], object], names: Sequence[str]) -> Callable[[str], object]:
    """Begin ``do`` for all names together, each in a thread; what is returned gives the answers one by one."""
    if len(names) < 2:
        return do
    from concurrent.futures import ThreadPoolExecutor

    executor = ThreadPoolExecutor(max_workers=32)
    answers = {name: executor.submit(do, name) for name in dict.fromkeys(names)}
    executor.shutdown(wait=False)
    return lambda name: answers[name].result()


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
