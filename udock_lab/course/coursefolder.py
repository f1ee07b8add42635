"""``udock-lab course DIR``: a lecturer's course folder, laid out, and brought up to date by the same command.

::

    DIR/source/, release/, instructor/   solutions, what is handed out, hidden requirements
    DIR/submitted/                       what comes back
    DIR/newer/                           of files that the lecturer changed: what we have now, under the same path
    DIR/.udock-course.json               hashes of what was laid out, which tell what was changed since

A newer version may not lie beside the lecturer's: nbgrader hands out each notebook that is in a folder of ``release/``.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator
from pathlib import Path

from udock_lab.course.layout import files_below, lay_files
from udock_lab.errors import Conflict, NotFound
from udock_lab.linux.wholefile import write_whole
from udock_lab.work.folder import content_of

__all__ = ["course", "course_options"]

_OURS = Path(__file__).resolve().parents[2] / "exercises"  # of a checkout
_PARTS = ("source", "release", "instructor")
_FILES = ("nbgrader_config.py", "README.md", ".gitignore")
_NEWER = "newer"
_MANIFEST = ".udock-course.json"

Say = Callable[[str], None]


def course_options(parser: ArgumentParser) -> None:
    """Add what ``course`` takes."""
    parser.add_argument("folder", nargs="?", default="course", metavar="DIR", help="default: ./course")
    parser.epilog = "In a course folder that is there it brings what is new; what you changed stays as it is."


def course(args: Namespace, say: Say) -> int:
    """Lay out the course folder of this checkout, or bring one up to date.

    Solutions and hidden requirements are in the repository only; an installed package does not have them. NotFound
    there, Conflict for a folder that is something else.
    """
    target = Path(args.folder)
    if not (_OURS / "source").is_dir() or not (_OURS / "instructor").is_dir():
        raise NotFound(
            "This is the learners' installation: it has no solutions and no hidden requirements.",
            "Lecturers work from a clone of the repository: run `make course` in it.",
        )
    if target.exists() and not target.is_dir():
        raise Conflict(f"{target} is a file.", "Name a new folder: udock-lab course DIR")
    is_there = target.is_dir() and any(target.iterdir())
    if is_there and not any((target / name).is_file() for name in (_MANIFEST, _FILES[0])):
        raise Conflict(f"{target} is not empty.", "Name a new folder: udock-lab course DIR")
    files = list(_files())
    laid = lay_files(target, files, _write_apart, _MANIFEST)
    for name, data in files:
        if content_of(target / name) == data:  # taken over by hand, maybe
            (target / _NEWER / name).unlink(missing_ok=True)
    (target / "submitted").mkdir(exist_ok=True)
    if is_there:
        say(f"{target}: {laid}.")
        changed = {name.split("/")[1] for name in (*laid.added, *laid.updated) if name.startswith("source/")}
        for slug in sorted(changed):
            say(f"If you use nbgrader, tell it: nbgrader generate_assignment --force {slug}")
        return 0
    say(f"The course is in {target}: source, release, instructor, nbgrader_config.py, README.md.")
    say(f"Hand out the notebooks of {target}/release; put what comes back into {target}/submitted. Then grade:")
    say(f"  udock-lab grade {target}/submitted")
    say("or with nbgrader, which has to know an exercise before it grades it:")
    say(f"  cd {target}; nbgrader generate_assignment --force EXERCISE; nbgrader autograde EXERCISE")
    say(f"After an update of this clone the same command brings what is new: udock-lab course {target}")
    return 0


def _files() -> Iterator[tuple[str, bytes]]:
    """Yield (path below the course folder, content)."""
    for part in _PARTS:
        for name, data in files_below(_OURS / part):
            yield f"{part}/{name}", data
    for name in _FILES:
        yield name, (_OURS / name).read_bytes()


def _write_apart(target: Path, name: str, data: bytes) -> str:
    """Write ``source/x.ipynb`` as ``newer/source/x.ipynb``; return that."""
    write_whole(target / _NEWER / name, data)
    return f"{_NEWER}/{name}"
