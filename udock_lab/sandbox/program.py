"""What is to run: a function or source text, as source and names."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Sequence
from contextlib import suppress

from udock_lab.errors import UsageError
from udock_lab.text.unreadable import UNREADABLE, in_words

__all__ = ["read_program", "unreadable"]


def read_program(
    what: str | Callable[..., object], args: Sequence[object], names: dict[str, object]
) -> tuple[str, dict[str, object], dict[str, str]]:
    """Read source, names, and the sources that a traceback may want to quote."""
    if isinstance(what, str):
        if args:
            raise UsageError("Source text takes no arguments.", "Give values by name: run(source, names={'n': 3})")
        try:
            ast.parse(what, "<sandbox>")
        except UNREADABLE as error:
            raise unreadable(in_words(error), what) from None
        return what, names, {}
    if not callable(what):
        raise UsageError(f"The sandbox runs a function or source text, not {type(what).__name__}.")
    sources: dict[str, str] = {}
    with suppress(OSError, TypeError, *UNREADABLE):
        sources[inspect.getsourcefile(what) or ""] = "".join(inspect.findsource(what)[0])
    names |= {"__function__": what, "__arguments__": tuple(args)}
    return "__value__ = __function__(*__arguments__)", names, sources


def unreadable(why: str, source: str) -> UsageError:
    """Return the error that says that nothing was run, and perhaps why."""
    hint = "Nothing was run."
    if any(line.lstrip()[:1] in ("%", "!", "?") for line in source.splitlines()):
        hint += " Lines that begin with % or ! belong to the notebook; a sandbox runs plain Python."
    elif _awaits_at_the_top(source):
        hint += " await outside a function belongs to the notebook; in a sandbox write asyncio.run(YOUR_FUNCTION())."
    return UsageError(f"Python cannot read this code: {why}.", hint)


def _awaits_at_the_top(source: str) -> bool:
    """Return whether this is what only IPython's cells may do (ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)."""
    with suppress(*UNREADABLE):
        compile(source, "<sandbox>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
        return True
    return False
