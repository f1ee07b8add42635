"""A zip of submissions as a folder. Whatever is in it, nothing is written elsewhere, nor more than there is room for.

Only ordinary files are taken out, each under a name that leads down from the folder. What is left out is said, file by
file. The folder is called after the zip's content, so that whoever asks again finds it; it is there whole or not at
all, whoever else unpacks the same zip at the same time.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
import tempfile
import time
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, NamedTuple

from udock_lab.errors import MdockError, UsageError

__all__ = ["MOST_BYTES", "MOST_ENTRIES", "MOST_OF_ONE", "Unpacked", "is_zip", "unpacked"]

MOST_OF_ONE = 32 << 20  # bytes of one file; a notebook may have 20 MB
MOST_BYTES = 2 << 30  # of all
MOST_ENTRIES = 200_000
_MOST_NAMES = 40  # folders on the way to a file
_LONGEST_NAME = 240  # bytes of one name
_PIECE = 1 << 20
_LEFT_OUT, _FILES = "left_out.json", "files"
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError)


class Unpacked(NamedTuple):
    """``folder`` holds what was in a zip; ``left_out``: (name in the zip, why) of what it does not hold."""

    folder: Path
    left_out: list[tuple[str, str]]


def is_zip(path: Path) -> bool:
    """Return whether this is an ordinary file that is called like a zip."""
    return path.suffix.lower() == ".zip" and path.is_file() and not path.is_symlink()


def unpacked(source: Path, into: Path) -> Unpacked:
    """Return the folder of a zip below ``into``, made now or by an earlier run.

    UsageError for what is no zip, with what to do; MdockError where there is no room.
    """
    folder = into / f"{source.stem[:60]}-{_digest(source)[:12]}"
    if not folder.is_dir():
        try:
            into.mkdir(parents=True, exist_ok=True)
            making = Path(tempfile.mkdtemp(prefix=".making-", dir=into))
        except OSError as error:
            raise MdockError(f"{into} cannot be written: {error.strerror}.", "Name another: --out DIR") from None
        try:
            (making / _FILES).mkdir()
            left_out = list(_unpack(source, making / _FILES))
            (making / _LEFT_OUT).write_text(json.dumps(left_out))
            making.chmod(0o755)
            with suppress(OSError):  # another one was faster: the same is there
                making.rename(folder)
        finally:
            shutil.rmtree(making, ignore_errors=True)
    left_out = json.loads((folder / _LEFT_OUT).read_text())
    return Unpacked(folder / _FILES, [(name, why) for name, why in left_out])


def _digest(source: Path) -> str:
    digest = hashlib.sha256()
    try:
        with source.open("rb") as file:
            while piece := file.read(_PIECE):
                digest.update(piece)
    except OSError as error:
        raise UsageError(f"{source} cannot be read: {error.strerror}.", "Check what it is and who owns it.") from None
    return digest.hexdigest()


def _unpack(source: Path, target: Path) -> Iterator[tuple[str, str]]:
    """Write what may be written; yield what may not, and why."""
    try:
        archive = zipfile.ZipFile(source)
    except _BROKEN as error:
        raise UsageError(f"{source} is no zip that can be read: {error}.", "Download it again.") from None
    with archive:
        entries = archive.infolist()
        if len(entries) > MOST_ENTRIES:
            raise UsageError(f"{source} holds {len(entries):,} files.", "Split it: a zip for each exercise.")
        room = MOST_BYTES
        seen: set[str] = set()
        for entry in entries:
            if entry.is_dir():
                continue
            name = _name(entry)
            parts = name.split("/")
            why = _why_not(entry, parts) or ("another file of this name came before" if name.casefold() in seen else "")
            why = why or ("" if room > 0 else f"all together holds more than {MOST_BYTES >> 20} MB")
            if not why:
                why, size = _write(archive, entry, target.joinpath(*parts), min(MOST_OF_ONE, room))
                room -= size
                seen |= {name.casefold()} if not why else set()
            if why:
                yield name, why


def _name(entry: zipfile.ZipInfo) -> str:
    """Return a name as it was written: what zipfile read by cp437, as the standard has it, is UTF-8 as a rule."""
    name = entry.filename
    if not entry.flag_bits & 0x800:
        with suppress(UnicodeError):
            name = name.encode("cp437").decode("utf-8")
    return name.encode("utf-8", "backslashreplace").decode().replace("\\", "/")


def _why_not(entry: zipfile.ZipInfo, parts: list[str]) -> str:
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind and not stat.S_ISREG(entry.external_attr >> 16):
        return "it is a link" if kind == stat.S_IFLNK else "it is no ordinary file"
    if parts[0] == "" or ".." in parts or ":" in parts[0]:
        return "its name leads out of the folder"
    if len(parts) > _MOST_NAMES or any(not part or part == "." or "\0" in part for part in parts):
        return "its name is none of a file"
    if any(len(os.fsencode(part)) > _LONGEST_NAME for part in parts):
        return "its name is too long"
    if entry.flag_bits & 0x1:
        return "it is encrypted"
    return ""


def _write(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, path: Path, most: int) -> tuple[str, int]:
    """Write one file, of the zip's own time; return why not, and its size. What it claims of its size counts nothing.

    What an earlier entry made (a file where this one has a folder) stays.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("xb")
    except (FileExistsError, NotADirectoryError):
        return "a file or folder of this name came before", 0
    except OSError as error:
        raise _no_room(path, error) from None
    with file:
        why, size = _copy(archive, entry, file, most)
    if why:
        path.unlink()
        return why, size
    with suppress(ValueError, OverflowError, OSError):
        changed = time.mktime((*entry.date_time, 0, 0, -1))
        os.utime(path, (changed, changed))
    return "", size


def _copy(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, file: BinaryIO, most: int) -> tuple[str, int]:
    """Write what an entry holds; return why that is not all of it, and how much it was; MdockError without room."""
    size = 0
    try:
        content = archive.open(entry)
    except _BROKEN as error:
        return f"it is damaged: {error}", size
    with content:
        while True:
            try:
                piece = content.read(_PIECE)
            except _BROKEN as error:
                return f"it is damaged: {error}", size
            size += len(piece)
            if size > most:
                return f"it holds more than {most >> 20} MB", size
            try:
                file.write(piece)
                file.flush()
            except OSError as error:
                raise _no_room(Path(file.name), error) from None
            if not piece:
                return "", size


def _no_room(path: Path, error: OSError) -> MdockError:
    return MdockError(
        f"{path} cannot be written: {error.strerror}. Nothing is unpacked.",
        "Make room, or name another folder for results: --out DIR",
    )
