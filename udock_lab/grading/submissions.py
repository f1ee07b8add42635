"""What was handed in, as it lies in a folder: who, which notebook, and what is left out, with the reason.

::

    SUBMITTED/<learner>/<assignment>/<notebook>.ipynb    as nbgrader collects it
    SUBMITTED/<learner>.ipynb                            side by side; kim_<exercise>.ipynb is kim's, too

A path that leads into such a folder (``SUBMITTED/kim``, ``SUBMITTED/kim/<assignment>``) means one learner of it.
Names are the learners' own: a result is called after them, but never leads elsewhere.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from udock_lab.errors import NotFound, UsageError
from udock_lab.grading.sources import slugs
from udock_lab.model.value import Value, replace
from udock_lab.work.folder import SUFFIX

__all__ = ["OURS", "Sent", "a_file_name", "class_of", "exercise_of", "find_submissions", "ignored_in"]

OURS = ("grades.csv", "students.csv", "class.html", "class", "lecturer")  # what we write beside the learners' folders
_LONGEST = 180  # bytes; a file name may have 255
_COPY = re.compile(r"(?:-Copy\d+| ?\(\d+\))$")  # JupyterLab's duplicate, a browser's second download
_NAMES = re.compile(rb'"grade_id"\s*:\s*"([^"\\]{1,200})"')
_WANTED = "Wanted: <learner>/<assignment>/<notebook>.ipynb, as nbgrader collects them, or *.ipynb side by side."
_NBGRADERS = "timestamp.txt"  # which nbgrader collect writes beside a notebook


class Sent(Value):
    """One notebook that somebody handed in; ``name`` is what its result is called.

    ``linked``: it is a symbolic link, or lies behind one; whose work that is, nobody can tell.
    """

    learner: str
    name: str
    path: Path
    linked: bool = False


def find_submissions(folder: Path, near: Path | None = None) -> list[Sent]:
    """Find every notebook at one of the two places; ``near``: where the course is, whose exercises have names.

    Raises NotFound where there is none.
    """
    if not folder.is_dir():
        raise NotFound(
            f"There is no folder {folder}.", "Name the folder with the submissions: udock-lab grade submitted"
        )
    known = slugs(near)
    flat = sorted(folder.glob("*.ipynb"))
    stems = {path.stem for path in flat}
    found, taken = [], Counter[tuple[str, str]]()
    for path in (*flat, *sorted(folder.glob("*/*/*.ipynb"))):
        parts = path.relative_to(folder).parts
        if any(part.startswith(".") for part in parts):  # hidden, or a name such as ..ipynb that leads elsewhere
            continue
        learner, assignment = (parts[0], parts[1]) if len(parts) == 3 else (_whose(path.stem, stems, known), path.stem)
        name = path.stem if assignment == path.stem else f"{assignment}-{path.stem}"
        linked = any(place.is_symlink() for place in (path, *path.parents[: len(parts) - 1]))
        one = Sent(learner=a_file_name(learner), name=a_file_name(name), path=path, linked=linked)
        taken[one.learner, one.name] += 1
        if taken[one.learner, one.name] > 1:  # a-b/a-b.ipynb and a/b.ipynb are two
            one = replace(one, name=f"{one.name[: _LONGEST - 20]}-{_short(os.fsencode('/'.join(parts)))}")
        found.append(one)
    if not found:
        raise NotFound(f"There is no submission in {folder}.", _WANTED)
    return found


def _whose(stem: str, stems: set[str], known: Sequence[str]) -> str:
    """Return the learner of a file that lies beside others.

    That is its name, without an exercise's, and without what marks a second copy of a file that is there.
    """
    base = _COPY.sub("", stem)
    base = base if base in stems else stem
    for slug in sorted(known, key=len, reverse=True):
        rest = re.sub(rf"(?:^|[-_ .]+){re.escape(slug)}(?=$|[-_ .(])", "", base, count=1)
        if rest != base:
            return _COPY.sub("", rest).strip("-_ .") or base
    return base


def a_file_name(name: str) -> str:
    """Return a file name that is short enough for a name beside it, and is not one of ours."""
    if name in OURS:
        return f"{name}_"
    return name if len(os.fsencode(name)) <= _LONGEST else f"{name[:40]}-{_short(os.fsencode(name))}"


def _short(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]


# --- which folder is meant


def class_of(place: Path, near: Path | None = None) -> tuple[Path, str]:
    """Return the folder of the class, and the learner who alone is meant; "" where everybody is.

    ``SUBMITTED/kim/m2_1`` is not a class of which m2_1 is a learner. UsageError for a file that is none of a class.
    """
    known = slugs(near)
    here = Path(os.path.abspath(place))
    if place.is_file():
        if not _is_assignment(here.parent, known):
            raise UsageError(f"{place} is a file.", "Name the folder with the submissions: udock-lab grade submitted")
        here = here.parent
    if _is_assignment(here, known):
        return here.parent.parent, here.parent.name
    if not place.is_dir() or any(here.glob("*.ipynb")) or any(here.glob("*/*/*.ipynb")):
        return place, ""
    is_learners = any(_is_assignment(below, known) for below in here.iterdir() if below.is_dir())
    return (here.parent, here.name) if is_learners else (place, "")


def _is_assignment(folder: Path, known: Sequence[str]) -> bool:
    """Return whether this is a learner's folder of one exercise: it holds a notebook of the exercise's own name."""
    slug = _begins_with(folder.name, known)
    if not slug:
        return False
    return any(_COPY.sub("", path.stem) in (slug, folder.name) for path in folder.glob("*.ipynb"))


# --- what is not taken


def ignored_in(folder: Path, sent: Sequence[Sent], others: Sequence[Path] = ()) -> Iterator[tuple[str, str]]:
    """Return each file that is not taken, by its place in the folder, and why; ``others`` are known to the caller.

    Of a hidden folder the folder alone; links are not followed. What nbgrader adds to a submission is left unsaid.
    """
    taken = {one.path for one in sent} | set(others)
    for top, folders, files in os.walk(folder):
        here = Path(top)
        depth = len(here.relative_to(folder).parts)
        for name in sorted(folders):
            if name.startswith("."):
                yield f"{(here / name).relative_to(folder)}/", "it is hidden"
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            path = here / name
            if path not in taken and not (name == _NBGRADERS and depth == 2):
                yield str(path.relative_to(folder)), _why_ignored(name)


def _why_ignored(name: str) -> str:
    suffix = Path(name).suffix.lower()
    if name.startswith("."):
        return "it is hidden"
    if name.endswith(".ipynb"):
        return "a notebook is looked for in <learner>/<assignment>/ only, or in the folder itself"
    if suffix == ".ipynb":
        return "the name of a notebook ends in .ipynb"
    if suffix in (".zip", ".gz", ".tar", ".7z", ".rar", ".xz", ".bz2"):
        return "it is packed: unpack it"
    if suffix == SUFFIX:
        return "an export is looked for in <learner>/ or <learner>/<assignment>/ only"
    return "it is no notebook"


# --- which exercise it is


def exercise_of(sent: Sent, notebook: bytes, near: Path | None = None) -> str:
    """Return which exercise a notebook answers: by the names of its cells, else by its own name or its folder's.

    Raises UsageError where none says. The names are looked for in the bytes, so that nothing has to be parsed that a
    learner wrote; the worst that they bring about is that a notebook is judged as an answer to another exercise.
    """
    known = slugs(near)
    named = (_begins_with(name.decode("utf-8", "replace"), known) for name in _NAMES.findall(notebook))
    counted = Counter(slug for slug in named if slug)
    if counted:
        return counted.most_common(1)[0][0]
    for where in (sent.path.stem, sent.path.parent.name):
        if slug := _begins_with(where, known) or next((one for one in known if one in where), ""):
            return slug
    raise UsageError(f"{sent.path.name} answers no exercise of this course.", "Was it made from exercises/release?")


def _begins_with(name: str, known: Sequence[str]) -> str:
    return max((slug for slug in known if name.startswith(slug)), key=len, default="")
