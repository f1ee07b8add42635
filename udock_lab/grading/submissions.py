"""What was handed in, as it lies in a folder or in a zip: who, which notebook, and what is left out, with the reason.

::

    SUBMITTED/<learner>/<assignment>/<notebook>.ipynb    as nbgrader collects it
    SUBMITTED/<learner>.ipynb                            side by side; kim_<exercise>.ipynb is kim's, too
    SUBMITTED/.../<as a platform calls it>               Moodle, Canvas, ILIAS, Brightspace (platforms.py)
    SUBMITTED/<any of these>.zip, SUBMITTED.zip          as they were downloaded

A path that leads into such a folder (``SUBMITTED/kim``, ``SUBMITTED/kim/<assignment>``) means one learner of it.
Names are the learners' own: a result is called after them, but never leads elsewhere.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from udock_lab.errors import NotFound, UsageError
from udock_lab.grading.platforms import Place, place_of
from udock_lab.grading.sources import slugs
from udock_lab.grading.unpacking import is_zip, unpacked
from udock_lab.model.value import Value, replace
from udock_lab.work.folder import SUFFIX

__all__ = [
    "OURS",
    "Roots",
    "Sent",
    "a_file_name",
    "class_of",
    "exercise_of",
    "find_submissions",
    "ignored_in",
    "roots_of",
]

# What we write beside the learners' folders.
OURS = ("grades.csv", "students.csv", "class.html", "class", "lecturer", "export")
_LONGEST = 180  # bytes; a file name may have 255
_COPY = re.compile(r"(?:-Copy\d+| ?\(\d+\))$")  # JupyterLab's duplicate, a browser's second download
_NAMES = re.compile(rb'"grade_id"\s*:\s*"([^"\\]{1,200})"')
_WANTED = "Wanted: <learner>/<assignment>/<notebook>.ipynb, *.ipynb side by side, or what a learning platform zips."
_NBGRADERS = "timestamp.txt"  # which nbgrader collect writes beside a notebook
_STAMP = re.compile(r"(\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d)?)(?:\.\d+)?(?: ?(UTC|Z|[+-]\d\d:?\d\d))?")
_MOST_DEPTH = 12  # folders that are gone into
_MOST_BESIDE = 200  # Python files beside a notebook


class Sent(Value):
    """One notebook that somebody handed in; ``name`` is what its result is called.

    ``linked``: it is a symbolic link, or lies behind one; whose work that is, nobody can tell. ``beside``: Python files
    that were handed in with it, by their names from there. The rest is what a platform's names say (platforms.Place):
    ``person`` who it is in words, ``own`` what the learner called the file, ``label`` what tells attempts apart.
    """

    learner: str
    name: str
    path: Path
    linked: bool = False
    beside: tuple[tuple[str, Path], ...] = ()
    person: str = ""
    participant: str = ""
    group: str = ""
    own: str = ""
    label: str = ""
    when: float = 0.0
    serial: int = 0
    late: bool | None = None

    @property
    def notebook(self) -> str:
        """What the learner called it."""
        return self.own or self.path.name


class Roots(NamedTuple):
    """Folders with what was handed in, each with its zip's name ("" for none); what is not taken of zips, and why."""

    folders: list[tuple[Path, str]]
    left_out: list[tuple[str, str]]


def roots_of(place: Path, out: Path) -> Roots:
    """Return where submissions are, zips unpacked below ``out``; UsageError for a zip that is none."""
    if is_zip(place):
        made = unpacked(place, out / ".unpacked")
        return Roots([(made.folder, place.name)], [(f"{place.name}: {name}", why) for name, why in made.left_out])
    folders, left_out = [(place, "")], []
    for path in sorted(place.iterdir()) if place.is_dir() else ():
        if not path.name.startswith(".") and is_zip(path):
            try:
                made = unpacked(path, out / ".unpacked")
            except UsageError:
                left_out.append((path.name, "it is no zip that can be read: download it again"))
                continue
            folders.append((made.folder, path.name))
            left_out += [(f"{path.name}: {name}", why) for name, why in made.left_out]
    return Roots(folders, left_out)


def find_submissions(folder: Path, near: Path | None = None, roots: Roots | None = None) -> list[Sent]:
    """Find every notebook that was handed in; ``near``: where the course is, whose exercises have names.

    ``roots``: where it is, if zips were unpacked. Raises NotFound where there is none.
    """
    if not folder.exists() or (roots is None and not folder.is_dir()):
        raise NotFound(
            f"There is no folder {folder}.", "Name the folder with the submissions: udock-lab grade submitted"
        )
    known = slugs(near)
    found: list[Sent] = []
    for place, packed in roots.folders if roots else [(folder, "")]:
        found += _in_root(place, packed, known)
    if not found:
        raise NotFound(f"There is no submission in {folder}.", _WANTED)
    return _named_apart(found)


def _in_root(root: Path, packed: str, known: Sequence[str]) -> list[Sent]:
    """Return what lies in one folder; of a zip that holds all in one folder, what lies in there."""
    files = list(_files(root))
    flat = {path.stem for path in files if path.parent == root and path.suffix == ".ipynb"}
    modules = _modules(root, files)
    found: list[tuple[Sent, tuple[str, ...]]] = []
    for path in files:
        parts = path.relative_to(root).parts
        if path.suffix != ".ipynb" or any(part.startswith(".") for part in parts):
            continue
        if place := place_of(parts):
            one = _of_platform(place, path, linked=_is_linked(path, parts))
            beside = _below(modules.get((parts[: place.at], place.id, place.when), []), place.file.rpartition("/")[0])
            found.append((replace(one, beside=beside), parts[: place.at]))
        elif len(parts) in (1, 3):
            one = _plain(path, parts, flat, known, packed)
            alone = len(parts) == 1 and one.learner != Path(packed).stem
            beside = () if alone else _below(modules.get((parts[:-1], "", 0.0), []), "")
            found.append((replace(one, beside=beside), ()))
    if not found and packed and len(below := [one for one in root.iterdir() if one.is_dir()]) == 1:
        return _in_root(below[0], packed, known)
    return _people_apart(found)


def _files(root: Path) -> Iterator[Path]:
    """Return every file, those side by side first; of links to folders the notebooks that a learner's would have."""
    for top, folders, files in os.walk(root):
        here = Path(top)
        depth = len(here.relative_to(root).parts)
        yield from sorted(here / name for name in files)
        folders[:] = sorted(name for name in folders if not name.startswith(".")) if depth < _MOST_DEPTH else []
        for name in folders if depth < 2 else ():
            if (here / name).is_symlink():
                yield from sorted((here / name).glob("*.ipynb" if depth else "*/*.ipynb"))


def _is_linked(path: Path, parts: Sequence[str]) -> bool:
    return any(place.is_symlink() for place in (path, *path.parents[: len(parts) - 1]))


def _plain(path: Path, parts: tuple[str, ...], flat: set[str], known: Sequence[str], packed: str) -> Sent:
    """Return what a notebook is that no platform named."""
    learner, assignment = (parts[0], parts[1]) if len(parts) == 3 else (_whose(path.stem, flat, known), path.stem)
    if packed and len(parts) == 1 and learner in known:  # kim.zip, with the notebook as it was handed out
        learner = Path(packed).stem
    name = path.stem if assignment == path.stem else f"{assignment}-{path.stem}"
    when = _stamped(path.parent / _NBGRADERS) if len(parts) == 3 else 0.0
    linked = _is_linked(path, parts)
    return Sent(learner=a_file_name(learner), name=a_file_name(name), path=path, linked=linked, when=when)


def _of_platform(place: Place, path: Path, *, linked: bool) -> Sent:
    learner = place.learner or (place.who if not place.who.endswith("Participant") else f"{place.who} {place.id}")
    own = place.file.rpartition("/")[2]
    label = datetime.fromtimestamp(place.when).strftime("%Y-%m-%d %H:%M") if place.when else ""  # noqa: DTZ006
    return Sent(
        learner=a_file_name(learner), name=a_file_name(own.removesuffix(".ipynb")), path=path, linked=linked,
        person=place.who, participant=place.id, group=place.group, own=own, when=place.when, serial=place.serial,
        late=place.late, label=label or (f"upload {place.serial}" if place.serial else ""),
    )  # fmt: skip


def _stamped(file: Path) -> float:
    """Return the time that nbgrader noted beside a submission (seconds since the epoch), 0.0 where it noted none."""
    try:
        with file.open(errors="replace") as text:
            found = _STAMP.match(text.read(100))
        zone = (found[2] or "UTC").replace("UTC", "+00:00").replace("Z", "+00:00") if found else ""
        return datetime.fromisoformat(f"{found[1]}{zone}").timestamp() if found else 0.0
    except (OSError, ValueError, OverflowError):
        return 0.0


def _people_apart(found: Sequence[tuple[Sent, tuple[str, ...]]]) -> list[Sent]:
    """Make two learners of two participants who are in one download under one name."""
    ids: dict[tuple[str, ...], set[str]] = {}
    for one, collection in found:
        if one.person and one.learner == a_file_name(one.person):
            ids.setdefault((*collection, one.learner), set()).add(one.participant)
    return [
        replace(one, learner=a_file_name(f"{one.learner} {one.participant}"))
        if len(ids.get((*collection, one.learner), ())) > 1
        else one
        for one, collection in found
    ]


def _named_apart(found: Sequence[Sent]) -> list[Sent]:
    """Give each a name of its own: a-b/a-b.ipynb and a/b.ipynb are two, and so are two attempts."""
    taken = Counter[tuple[str, str]]()
    apart = []
    for one in found:
        taken[one.learner, one.name] += 1
        if taken[one.learner, one.name] > 1:
            mark = re.sub(r"\D+", "", one.label) or _short(os.fsencode("/".join(one.path.parts[-3:])))
            name = f"{one.name[: _LONGEST - 20]}-{mark}"
            taken[one.learner, name] += 1
            again = taken[one.learner, name]
            one = replace(one, name=name if again == 1 else f"{name}-{again}")
        apart.append(one)
    return apart


# --- Python files that were handed in with a notebook

_Key = tuple[tuple[str, ...], str, float]


def _modules(root: Path, files: Sequence[Path]) -> dict[_Key, list[tuple[str, int, Path]]]:
    """Return them (name, upload, file) by where a notebook would be, and by whose attempt a platform says they are."""
    found: dict[_Key, list[tuple[str, int, Path]]] = {}
    for path in files:
        parts = path.relative_to(root).parts
        if path.suffix != ".py" or any(part.startswith(".") for part in parts) or _is_linked(path, parts):
            continue
        if place := place_of(parts):
            key = parts[: place.at], place.id, place.when
            found.setdefault(key, []).append((place.file, place.serial, path))
        else:
            for depth in range(max(0, len(parts) - _MOST_DEPTH), len(parts)):
                found.setdefault((parts[:depth], "", 0.0), []).append(("/".join(parts[depth:]), 0, path))
    return found


def _below(modules: Sequence[tuple[str, int, Path]], folder: str) -> tuple[tuple[str, Path], ...]:
    """Return those of a folder and below it, by their names from there; of two with one name the later upload."""
    chosen: dict[str, tuple[int, Path]] = {}
    for name, serial, path in modules:
        own = name.removeprefix(f"{folder}/") if folder else name
        if (own != name or not folder) and serial >= chosen.get(own, (0, path))[0]:
            chosen[own] = serial, path
    return tuple((name, path) for name, (_, path) in sorted(chosen.items())[:_MOST_BESIDE])


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
    if is_zip(place):
        return place, ""
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
    taken = {one.path for one in sent} | {path for one in sent for _, path in one.beside} | set(others)
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
        return "a notebook is looked for in <learner>/<assignment>/, in the folder itself, or as a platform calls it"
    if suffix == ".ipynb":
        return "the name of a notebook ends in .ipynb"
    if suffix in (".zip", ".gz", ".tar", ".7z", ".rar", ".xz", ".bz2"):
        return "it is packed: unpack it" if suffix != ".zip" else "it is a zip in a learner's folder: unpack it"
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
    raise UsageError(f"{sent.notebook} answers no exercise of this course.", "Was it made from exercises/release?")


def _begins_with(name: str, known: Sequence[str]) -> str:
    return max((slug for slug in known if name.startswith(slug)), key=len, default="")
