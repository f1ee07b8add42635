"""An export brought in: what is there stays, what comes is added. Killed at any instant, each file is old or new.

Everything is first written into a folder of its own in the course's folder (``.udock-lab-import``). So a full disk is
known before anything has changed. Then the progress is merged, in one rename; then each file gets its name, in one
more. Brought in again, what a killed import had left to do is done.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from udock_lab.errors import MdockError, StorageError
from udock_lab.linux.ownership import adopt
from udock_lab.work.exported import Exported
from udock_lab.work.folder import content_of, handed_out, hash_of, remember

__all__ = ["Brought", "bring_in"]

_STAGE = ".udock-lab-import"


class Brought(NamedTuple):
    """What an import did. ``beside``: (the file that was here, the one that came); ``progress``: whether it grew."""

    added: list[str]
    replaced: list[str]
    beside: list[tuple[str, str]]
    refused: list[tuple[str, str]]
    progress: bool

    def __str__(self) -> str:
        came = len(self.added) + len(self.replaced)
        did = ["answers, tries and points merged"] if self.progress else []
        did += [f"{came} file{'s' * (came > 1)} brought back"] if came else []
        if self.beside:
            pairs = ", ".join(f"{new} beside your {yours}" for yours, new in self.beside)
            did.append(f"both kept where they differ: {pairs}")
        did += [f"{name} not brought in ({why})" for name, why in self.refused]
        return "; ".join(did) or "all of it was here already"


def bring_in(
    exported: Exported,
    folder: Path,
    merge: Callable[[dict[str, Any]], bool],
    *,
    in_use: str = "",
) -> Brought:
    """Bring an export into the course's folder, and its progress to ``merge``, which says whether anything changed.

    A file that nobody has changed since it was handed out is replaced, except ``in_use``, the notebook that runs.
    Raise StorageError where there is no room; then nothing was changed.
    """
    try:
        with _stage(folder) as stage:
            staged = _write_all(exported.files, folder, stage)
            brought = Brought([], [], [], [], merge(exported.progress))
            untouched = handed_out(folder)
            for name, path in staged.items():
                _place(name, path, folder, untouched, brought, in_use=Path(name).name == in_use)
    except OSError as error:
        raise StorageError(
            f"The export cannot be brought into {folder}: {error.strerror or error}.",
            "What was here is as it was. Make room, and bring it in again.",
        ) from None
    with suppress(OSError):
        remember(folder, exported.digest)
    return brought


@contextmanager
def _stage(folder: Path) -> Iterator[Path]:
    """Make the folder that files wait in; what a killed import left in it goes first. One import at a time."""
    stage = folder / _STAGE
    while True:
        stage.mkdir(mode=0o700, exist_ok=True)
        fd = os.open(stage, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            raise MdockError("Another import into this folder is at work.", "Wait for it, then try again.") from None
        if stage.exists() and os.path.samestat(os.fstat(fd), stage.stat()):
            break
        os.close(fd)  # the other import has just ended, and removed it
    try:
        for left in stage.iterdir():
            left.unlink()
        yield stage
    finally:
        shutil.rmtree(stage, ignore_errors=True)
        os.close(fd)


def _write_all(files: dict[str, bytes], folder: Path, stage: Path) -> dict[str, Path]:
    """Write what is not here yet; return where, by name."""
    staged = {}
    for number, (name, data) in enumerate(files.items()):
        if content_of(folder / name) != data:
            staged[name] = stage / f"{number}"
            with staged[name].open("wb") as file:
                file.write(data)
                adopt(str(folder / name), file.fileno())
    return staged


def _place(name: str, staged: Path, folder: Path, untouched: dict[str, str], brought: Brought, *, in_use: bool) -> None:
    target = folder / name
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        brought.refused.append((name, "a file stands where its folder should be"))
        return
    there, data = content_of(target), staged.read_bytes()
    if there is not None and not in_use and hash_of(there) == untouched.get(name):
        staged.replace(target)
        brought.replaced.append(name)
    elif hash_of(data) == untouched.get(name) and there is not None:
        pass  # as it was handed out; the learner's own is further
    elif there is None and _named(staged, target):
        brought.added.append(name)
    elif (other := _name_beside(folder, name, staged, data)) is not None:
        brought.beside.append((name, other))


def _name_beside(folder: Path, name: str, staged: Path, data: bytes) -> str | None:
    """Name it ``lesson.imported.ipynb``, or the first ``lesson.importedN.ipynb`` that is free; None if it is there."""
    stem, _, suffix = name.rpartition(".")
    number = 1
    while True:
        other = f"{stem}.imported{number if number > 1 else ''}.{suffix}"
        if content_of(folder / other) == data:
            return None
        if _named(staged, folder / other):
            return other
        number += 1


def _named(staged: Path, target: Path) -> bool:
    """Give a file its name, unless there is one of that name by now: link(2) replaces nothing."""
    try:
        os.link(staged, target)
    except FileExistsError:
        return False
    except OSError:  # a file system without links
        if os.path.lexists(target):
            return False
        staged.replace(target)
    return True
