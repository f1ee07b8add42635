"""``--env-file``: variables from a file, in docker's syntax.

One variable a line: ``KEY=value``, and the value is all that follows, quotes and blanks included; ``KEY`` alone is
taken from the environment, and left out where that has none. Empty lines and lines that begin with ``#`` say nothing.
The file is UTF-8, or UTF-16 that begins with its byte order mark, as Windows' PowerShell writes it.
"""

from __future__ import annotations

import codecs
import os
import stat
from collections.abc import Iterable, Mapping

from udock_lab.errors import NotFound, StorageError, UsageError

__all__ = ["read_env_files"]

_MOST = 8 << 20  # bytes; no program can be given more (execve(2))


def read_env_files(paths: Iterable[str], environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of all files; of two with one name the last counts.

    Raises UsageError with the file and the line.
    """
    found: dict[str, str] = {}
    for path in paths:
        for number, line in enumerate(_lines(path), 1):
            line = line.lstrip(" \t")
            if not line or line.startswith("#"):
                continue
            key, equals, value = line.partition("=")
            _check_name(key, f"--env-file {path}, line {number}")
            if "\0" in value:
                raise UsageError(f"--env-file {path}, line {number}: {key} holds a NUL byte.", "Take it out.")
            if equals or key in environ:
                found[key] = value if equals else environ[key]
    return found


def _lines(path: str) -> list[str]:
    """Return the file's lines; bytes that are no UTF-8 reach the program as they are."""
    try:
        with open(path, "rb") as file:
            if stat.S_ISDIR(os.fstat(file.fileno()).st_mode):
                raise IsADirectoryError
            data = file.read(_MOST + 1)
    except FileNotFoundError:
        raise NotFound(f"--env-file: there is no file {path}.", "One variable a line: KEY=value") from None
    except OSError as error:
        reason = error.strerror or "it is a folder"
        raise StorageError(f"--env-file {path} cannot be read: {reason}.", f"Check: ls -ld {path}") from error
    if len(data) > _MOST:
        raise UsageError(f"--env-file {path} is larger than any program's environment can be.")
    return [line.removesuffix("\r") for line in _text(data, path).split("\n")]


def _text(data: bytes, path: str) -> str:
    if not data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.removeprefix(codecs.BOM_UTF8).decode("utf-8", "surrogateescape")
    try:
        return data.decode("utf-16")
    except UnicodeDecodeError:
        raise UsageError(f"--env-file {path} begins as UTF-16 and is none.", "Save it as UTF-8.") from None


def _check_name(key: str, where: str) -> None:
    if not key:
        raise UsageError(f"{where} has no name before the '='.", "Write for instance GREETING=hello.")
    if "\0" in key:
        raise UsageError(f"{where}: a name holds a NUL byte.", "Is it a text file? Save it as UTF-8.")
    if any(character.isspace() for character in key):
        raise UsageError(f"{where}: a name cannot hold a blank, and {key!r} does.", "Write KEY=value, without export.")
