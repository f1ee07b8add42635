"""An export: one zip file, so that any program can open it where this one is not at hand.

::

    udock-lab.json     {"export": 1, "version": "0.1.0", "made": "2026-11-30T20:59:01+00:00"}
    progress.json      answers, locks, tries, points
    course/...         the learner's files, by their path in the course's folder

It is read as if it came from an enemy: nothing is unpacked before all of it was looked at, every size is bounded by
what really comes out, names lead nowhere else, and what is odd is refused with a sentence.
"""

from __future__ import annotations

import io
import json
import math
import os
import struct
import time
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from udock_lab.errors import UsageError
from udock_lab.version import __version__
from udock_lab.work.bounds import (
    MOST_BYTES,
    MOST_DIRECTORY,
    MOST_FILES,
    MOST_IN_ONE,
    MOST_PACKED,
    mebibytes,
    wrong_with_name,
)
from udock_lab.work.folder import hash_of, regular

__all__ = ["PROGRESS_SCHEMA", "Exported", "pack", "read_export"]

SCHEMA = 1  # of an export
PROGRESS_SCHEMA = 1  # of progress.json
SECTIONS = ("lessons", "predictions", "tickets", "exercises", "answers", "answered", "resets")
_DEEPEST = 40  # levels of JSON; progress has six
_ABOUT, _PROGRESS, _COURSE = "udock-lab.json", "progress.json", "course/"
_END = b"PK\x05\x06"
_OF_END = struct.Struct("<4s4H2LH")  # the record that a zip file ends with (APPNOTE.TXT, 4.3.16)
_LINK, _ENCRYPTED = 0o120000, 1
_SHOWN = 80  # characters of a name


class Exported(NamedTuple):
    """What an export holds; ``digest`` is the hash of its file."""

    progress: dict[str, Any]
    files: dict[str, bytes]
    made: str
    digest: str


# --- writing


def pack(progress: Mapping[str, Any], files: Mapping[str, bytes]) -> bytes:
    """Return the bytes of an export."""
    made = time.strftime("%Y-%m-%dT%H:%M:%S%z")
    about = {"export": SCHEMA, "version": __version__, "made": made}
    told = {"schema": PROGRESS_SCHEMA} | dict(progress)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in ((_ABOUT, about), (_PROGRESS, told)):
            archive.writestr(name, json.dumps(content, indent=1))
        for name, data in files.items():
            archive.writestr(_COURSE + name, data)
    return packed.getvalue()


# --- reading


class _RefusedError(Exception):
    """Why a file is no export."""


def read_export(path: Path) -> Exported:
    """Read an export; raise UsageError, with the reason, for whatever is none, before anything was changed."""
    try:
        return _read(_bytes_of(path))
    except _RefusedError as refused:
        _refuse(path, str(refused))
    except OSError as error:
        _refuse(path, error.strerror or "it cannot be read")
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, RecursionError, NotImplementedError, KeyError):
        _refuse(path, "it is damaged, or was made by another program")


def _refuse(path: Path, why: str) -> NoReturn:
    raise UsageError(
        f"{path.name} is not taken in: {why}. Nothing was changed.",
        f"An export is made with: udock-lab export   or in a notebook: lesson.export()   (the file: {path})",
    )


def _bytes_of(path: Path) -> bytes:
    """Read the whole file, if it is one; a pipe or a device would never end."""
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not regular(os.fstat(fd)):
            raise _RefusedError("it is no ordinary file")
        with open(fd, "rb", closefd=False) as file:
            data = file.read(MOST_PACKED + 1)
    finally:
        os.close(fd)
    if len(data) > MOST_PACKED:
        raise _RefusedError(f"it is larger than {mebibytes(MOST_PACKED)}")
    return data


def _read(data: bytes) -> Exported:
    if not data.startswith(b"PK"):
        raise _RefusedError("it is no export of udock-lab" if data else "it is empty")
    _bound_directory(data)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = archive.infolist()
        names = [entry.filename for entry in entries]
        if _ABOUT not in names or _PROGRESS not in names:
            raise _RefusedError("it is a zip file, but no export of udock-lab")
        about = _object(_content(archive, archive.getinfo(_ABOUT), MOST_DIRECTORY), _ABOUT)
        _refuse_newer(about.get("export"), SCHEMA)
        if len(set(names)) != len(names):
            raise _RefusedError("it holds two files of one name")
        files = _files(archive, [entry for entry in entries if entry.filename not in (_ABOUT, _PROGRESS)])
        progress = _progress(_content(archive, archive.getinfo(_PROGRESS), MOST_IN_ONE))
    return Exported(progress, files, str(about.get("made", ""))[:_SHOWN], hash_of(data))


def _bound_directory(data: bytes) -> None:
    """Refuse a list of contents that would cost more to read than all that an export may hold."""
    place = data.rfind(_END, -(1 << 16) - _OF_END.size)
    if place < 0 or len(data) - place < _OF_END.size:
        raise _RefusedError("its end is missing; was the download cut off?")
    _, _, _, _, count, size, _, _ = _OF_END.unpack_from(data, place)
    if count > MOST_FILES + 2 or size > MOST_DIRECTORY:
        raise _RefusedError(f"it holds more than {MOST_FILES} files")


def _files(archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo]) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    left = MOST_BYTES
    for entry in entries:
        shown = repr(entry.filename[:_SHOWN])
        inside = entry.filename.removeprefix(_COURSE)
        wrong = wrong_with_name(inside) if inside != entry.filename else "only the course's files belong in it"
        if (entry.external_attr >> 16) & 0o170000 == _LINK:
            wrong = "it is a symbolic link"
        if wrong:
            raise _RefusedError(f"it holds {shown}, and {wrong}")
        files[inside] = _content(archive, entry, min(MOST_IN_ONE, left))
        left -= len(files[inside])
    for name in files:
        parts = name.split("/")
        if any("/".join(parts[:count]) in files for count in range(1, len(parts))):
            raise _RefusedError(f"{name[:_SHOWN]!r} lies in what is a file there, too")
    return files


def _content(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, most: int) -> bytes:
    """Return what comes out, and never more than ``most`` bytes, whatever the list of contents says."""
    if entry.flag_bits & _ENCRYPTED:
        raise _RefusedError("it is encrypted")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise _RefusedError("it is packed in a way that exports are not")
    with archive.open(entry) as file:
        data = file.read(most + 1)
        if len(data) > most or file.read(1):
            raise _RefusedError(
                f"more than {mebibytes(MOST_BYTES)} come out of it, or {mebibytes(MOST_IN_ONE)} of one file"
            )
    return data


def _object(data: bytes, name: str) -> dict[str, Any]:
    try:
        found = json.loads(data, parse_float=_finite, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise _RefusedError(f"its {name} is no JSON, or no such JSON") from None
    if not isinstance(found, dict):
        raise _RefusedError(f"its {name} holds something else")
    return found


def _finite(text: str) -> float:
    value = float(text)
    return value if math.isfinite(value) else _no_number(text)


def _no_number(text: str) -> NoReturn:
    raise ValueError(text)


def _refuse_newer(schema: object, ours: int) -> None:
    if type(schema) is not int or schema < 1:
        raise _RefusedError("it does not say which schema it has")
    if schema > ours:
        raise _RefusedError(f"a newer udock-lab made it (schema {schema}, known is {ours}): pip install -U udock-lab")


def _progress(data: bytes) -> dict[str, Any]:
    """Return the progress; raise for what never was progress."""
    found = _object(data, _PROGRESS)
    _refuse_newer(found.pop("schema", PROGRESS_SCHEMA), PROGRESS_SCHEMA)
    if not all(isinstance(found.get(name, {}), dict) for name in SECTIONS) or _depth(found) > _DEEPEST:
        raise _RefusedError(f"its {_PROGRESS} holds no answers and points")
    return found


def _depth(value: object) -> int:
    """Return how many levels it has, as far as it matters."""
    level, depth = [value], 0
    while level and depth <= _DEEPEST:
        level = [inner for one in level for inner in _inside(one)]
        depth += 1
    return depth


def _inside(value: object) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
