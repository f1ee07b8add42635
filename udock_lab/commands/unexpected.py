"""The last catch of both faces: what nobody foresaw becomes two sentences, and a way to report it."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence

from udock_lab.errors import MdockError
from udock_lab.runtime.state.shortage import shortage

__all__ = ["DEBUG", "in_words", "without_debug"]

DEBUG = "--debug"


def without_debug(words: Sequence[str]) -> tuple[list[str], bool]:
    """Return the command line without the word ``--debug``, and whether it was there.

    It stands in front: ``mdock --debug COMMAND ...``.
    """
    debug = words[:1] == [DEBUG]
    return list(words[1:] if debug else words), debug


def in_words(error: Exception, words: Sequence[str], prefix: str = "mdock") -> MdockError:
    """Put into words an ``error`` that no part of mdock has put into words.

    ``words`` were typed behind ``prefix``.
    """
    from shlex import join

    again = f"{prefix} {DEBUG} {join(words)}"
    again = again if len(again) <= 200 else f"{again[:200]}..."
    number = error.errno if isinstance(error, OSError) else errno.ENOMEM if isinstance(error, MemoryError) else None
    short = shortage(number) if number != errno.EAGAIN else None
    if short is not None:
        return MdockError(*short)
    if isinstance(error, OSError) and error.strerror:
        name = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else "Reading or writing failed"
        return MdockError(f"{name}: {error.strerror}.", f"Where it happened: {again}")
    if isinstance(error, UnicodeEncodeError) and sys.getfilesystemencoding() != "utf-8":
        return MdockError(
            f"This Python takes file names for {sys.getfilesystemencoding()}, and one here holds "
            f"{error.object[error.start : error.end]!r}.",
            "Start it with UTF-8: export PYTHONUTF8=1 (before you start Jupyter), or LC_ALL=C.UTF-8",
        )
    if type(error).__module__ == MdockError.__module__:  # a class of ours, and yet none of those that are caught
        return MdockError(
            "Parts of udock_lab were loaded a second time here (autoreload, importlib.reload or an upgrade), "
            "and do not know each other.",
            "Restart the kernel. What is in mdock's home stays.",
        )
    said = str(error).partition("\n")[0]
    return MdockError(
        f"mdock itself has failed: {type(error).__name__}{f': {said}' if said else ''} ({_place(error)}).",
        f"That is a fault of mdock. Please report it to the person who gave it to you, with what this prints: {again}",
    )


def _place(error: Exception) -> str:
    """Return the innermost line that was ours, for instance ``runtime/engine.py:249``."""
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    place, frame = "?", error.__traceback__
    while frame is not None:
        name = os.path.abspath(frame.tb_frame.f_code.co_filename)
        if name.startswith(f"{package}/"):
            place = f"{os.path.relpath(name, package)}:{frame.tb_lineno}"
        frame = frame.tb_next
    return place
