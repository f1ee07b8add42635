"""``export`` and ``import_``: what you have made, in one file that you keep; and brought back.

The file lies in the notebook's folder, because a link to it works there: in JupyterLab, in Notebook 7, without
widgets. Elsewhere (Colab, an editor) its path is there to be copied.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from udock_lab.errors import MdockError, NotFound
from udock_lab.lesson.ledger import ledger_in
from udock_lab.lesson.scratch import learner_home
from udock_lab.lesson.showing import Shown
from udock_lab.linux.wholefile import write_whole
from udock_lab.model import CardText, LessonCard
from udock_lab.work.bounds import MOST_PACKED, mebibytes
from udock_lab.work.bringing import Brought as _Brought
from udock_lab.work.bringing import bring_in
from udock_lab.work.exported import pack, read_export
from udock_lab.work.folder import SUFFIX, course_folder, dropped, hash_of, remember, work_in

__all__ = [
    "Brought",
    "Exported",
    "bring_back",
    "export",
    "export_from",
    "export_name",
    "export_to",
    "import_",
    "import_into",
    "kept_here",
    "passing",
]

_OF_BINDER = ("BINDER_SERVICE_HOST", "BINDER_LAUNCH_HOST", "BINDER_REPO_URL")  # repo2docker and BinderHub set them
_SHOWN = 5  # files that are named


def export() -> Exported:
    """Pack your work into one file, and show a link to it. ``import_`` brings it back, here or on another machine."""
    return export_from(Path.cwd(), learner_home())


def import_(file: str = "") -> Brought:
    """Bring back what an export holds: that file, or those that were dropped into the course's folder.

    Nothing that is here is lost: answers, tries and points are merged, and of a notebook that differs both are kept.
    """
    return import_into(Path.cwd(), learner_home(), file)


def export_name() -> str:
    """Return a file name for an export that is made now."""
    return f"udock-lab-{time.strftime('%Y-%m-%d-%H%M%S')}{SUFFIX}"


def export_to(target: Path, folder: Path | None, home: str) -> tuple[int, list[tuple[str, str]]]:
    """Write an export of the course's folder and of the learner's home.

    Return how many files are in it, and (path, why) of those that are not. Raise MdockError where it cannot be written.
    """
    found = work_in(folder) if folder else None
    data = pack(ledger_in(home).read(), found.files if found else {})
    if len(data) > MOST_PACKED:
        raise MdockError(
            f"The export would be larger than {mebibytes(MOST_PACKED)}, so none was written.",
            "Clear the outputs of your largest notebooks (Edit, Clear Outputs of All Cells), and export again.",
        )
    try:
        write_whole(target, data)
        if folder:
            remember(folder, hash_of(data))
    except OSError as error:
        raise MdockError(
            f"The export cannot be written to {target}: {error.strerror or error}.", "Name another file."
        ) from None
    return (len(found.files), found.left_out) if found else (0, [])


def bring_back(file: Path, folder: Path, home: str, *, in_use: str = "") -> _Brought:
    """Bring in one file; raise UsageError for what is no export, and MdockError where there is no room."""
    return bring_in(read_export(file), folder, ledger_in(home).merge, in_use=in_use)


# --- in a notebook


def export_from(place: Path, home: str) -> Exported:
    """Export into the folder of the notebook, and show where."""
    target = place / export_name()
    count, left_out = export_to(target, course_folder(place), home)
    exported = Exported(target, count, left_out)
    exported.show()
    return exported


def import_into(place: Path, home: str, file: str) -> Brought:
    """Bring in that file, or all that were dropped, and show what came of it."""
    folder = course_folder(place) or place
    files = [place / file] if file else _waiting(place, folder)
    if not files:
        raise NotFound(
            "There is no export here that was not brought in already.",
            f"Drag the file (its name ends in {SUFFIX}) into the file browser on the left, and run this cell again.",
        )
    in_use = os.path.basename(os.environ.get("JPY_SESSION_NAME", ""))
    brought = Brought([(one.name, bring_back(one, folder, home, in_use=in_use)) for one in files])
    brought.show()
    return brought


class Exported(Shown):
    """An export that was written: where, and what is not in it."""

    def __init__(self, path: Path, count: int, left_out: list[tuple[str, str]]) -> None:
        self.path, self.count, self.left_out = path, count, left_out

    def card(self) -> LessonCard:
        size = f"{max(1, self.path.stat().st_size >> 10)} KiB" if self.path.exists() else "removed since"
        link = CardText(text=f"Download {self.path.name} ({size})", leads_to=self.path.name, kind="download")
        files = f"{self.count} file{'s' * (self.count != 1)} of yours" if self.count else "no file of yours"
        parts = [
            link,
            CardText(text=f"In it: your answers, tries and points, and {files}. It lies beside this notebook."),
        ]
        if self.left_out:
            named = ", ".join(f"{name} ({why})" for name, why in self.left_out[:_SHOWN])
            more = f", and {len(self.left_out) - _SHOWN} more" if len(self.left_out) > _SHOWN else ""
            parts.append(CardText(text=f"Not in it: {named}{more}.", kind="note"))
        back = "To bring it back: drag it into the file browser, then `lesson.import_()`; or `udock-lab import FILE`"
        parts.append(CardText(text=back, kind="hint"))
        return LessonCard(label="export", headline="Your work, in one file", mood="good", parts=tuple(parts))


class Brought(Shown):
    """What came of an import, file by file."""

    def __init__(self, files: list[tuple[str, _Brought]]) -> None:
        self.files = files

    def card(self) -> LessonCard:
        parts = tuple(CardText(text=f"{name}: {brought}.") for name, brought in self.files)
        return LessonCard(label="import", headline="Your work is back", mood="good", parts=parts)


def _waiting(place: Path, folder: Path) -> list[Path]:
    """Return exports that were dropped into the course's folder, or beside the notebook."""
    return [*dropped(folder), *(dropped(place) if place != folder else [])]


# --- said at the begin of a lesson


def passing() -> str:
    """Return whose machine this is where it goes some minutes after its user, with all that is on it; else empty."""
    if any(os.environ.get(name) for name in _OF_BINDER):
        return "Binder"
    return "Colab" if os.environ.get("COLAB_RELEASE_TAG") else ""


def kept_here(place: Path, *, first: bool) -> list[str]:
    """Return what a lesson's first cell says: that an export waits, and in the first lesson that work is lost here."""
    said = []
    folder = course_folder(place)
    waiting = _waiting(place, folder) if folder else []
    if waiting:
        said.append(f"{waiting[-1].name} lies here and was not brought in yet: lesson.import_() brings your work back.")
    if first and passing():
        said.append(
            f"This machine is {passing()}'s: some minutes after you leave it is gone, and your work with it. "
            "lesson.export() gives you a file to keep."
        )
    return said
