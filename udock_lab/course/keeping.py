"""``udock-lab export`` and ``udock-lab import``: a learner's work in one file, and back."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from pathlib import Path

from udock_lab.course.layout import lay_out
from udock_lab.errors import MdockError, NotFound
from udock_lab.work.folder import MANIFEST, course_folder, dropped

__all__ = ["export", "export_options", "import_", "import_options", "take_in_dropped"]

DEFAULT_FOLDERS = ("udock-lab", "lessons")  # of `udock-lab start` and of `make lab`

Say = Callable[[str], None]


def _folder(given: str | None) -> Path | None:
    """Return the course's folder: the one that is named, or that this is or lies in, or that start makes here."""
    if given:
        if not Path(given).is_dir():
            raise NotFound(f"There is no folder {given}.", "Name the course's folder, which udock-lab start made.")
        return Path(given).resolve()
    below = (Path(name).resolve() for name in DEFAULT_FOLDERS)
    return course_folder(Path.cwd()) or next((place for place in below if (place / MANIFEST).is_file()), None)


# --- export


def export(args: Namespace, say: Say) -> int:
    """Write the file, and say what is in it."""
    from udock_lab.lesson.keeping import export_name, export_to
    from udock_lab.lesson.scratch import learner_home

    folder, home = _folder(args.folder), learner_home()
    target = Path(args.file or export_name())
    if target.is_dir():
        target /= export_name()
    count, left_out = export_to(target, folder, home)
    say(f"{target}: your answers, tries and points (of {home}), and {count} file{'s' * (count != 1)} of yours.")
    if folder is None:
        say("No notebook is in it: this is no course folder. Name yours: udock-lab export --folder DIR")
    for name, why in left_out:
        say(f"Not in it: {name} ({why}).")
    say(f"To bring it back, there or here: udock-lab import {target.name}")
    return 0


def export_options(parser: ArgumentParser) -> None:
    """Add what ``export`` takes."""
    parser.add_argument("file", nargs="?", metavar="FILE", help="default: udock-lab-DATE-TIME.udock, here")
    parser.add_argument("--folder", metavar="DIR", help="the course's folder (default: this one, or ./udock-lab)")


# --- import


def import_(args: Namespace, say: Say) -> int:
    """Bring the file back, into a course folder that is made where there is none."""
    from udock_lab.work.exported import read_export

    read_export(Path(args.file))  # before a folder is made for it
    folder = _folder(args.folder)
    if folder is None:
        folder = Path(DEFAULT_FOLDERS[0]).resolve()
        say(f"{folder}: {lay_out(folder)}.")
    say(_bring(Path(args.file), folder))
    return 0


def import_options(parser: ArgumentParser) -> None:
    """Add what ``import`` takes."""
    parser.add_argument("file", metavar="FILE", help="what udock-lab export or lesson.export() wrote")
    parser.add_argument("--folder", metavar="DIR", help="the course's folder (default: this one, or ./udock-lab)")


def _bring(file: Path, folder: Path) -> str:
    from udock_lab.lesson.keeping import bring_back
    from udock_lab.lesson.scratch import learner_home

    return f"{file}: {bring_back(file, folder, learner_home())}."


def take_in_dropped(folder: Path, say: Say) -> None:
    """Bring in exports that lie in the folder and are new there; what is none is said, and stays."""
    for file in dropped(folder):
        try:
            say(_bring(file, folder))
        except MdockError as error:
            say(str(error))
        except Exception as error:  # the last catch: whatever is wrong with that file, the course opens
            say(f"{file} was not brought in and stays where it is: {type(error).__name__}: {error}")
