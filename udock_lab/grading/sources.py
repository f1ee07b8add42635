"""Where exercises come from: the package's own, those of a course folder, those of installed packages.

An exercise is a folder, whose name or entry in a table is its slug (``exercise.py`` shows its shape). It is found

1. in ``exercises/`` of this package;
2. by the table ``[exercises]`` of a ``course.toml`` in the current folder or above it::

       [exercises]
       exit_status = "exercises/exit_status"    # slug = folder, from the file's own place

3. by an entry point of an installed package, in the group ``udock_lab.exercises``: its name is the slug, its value a
   package with these modules (``exit_status = "my_course.exit_status"``).

The hidden half of an exercise is a folder of the same shape: ``udock_hidden/<slug>`` below the lecturer's folder
``instructor``, or ``hidden`` in the exercise's own folder, where that is not handed out.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import os
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from udock_lab.errors import NotFound, UsageError
from udock_lab.grading.bridge import COMPLETE, REPAIR, Bridge
from udock_lab.grading.coursefile import hints_of, mistake, read_course_file
from udock_lab.grading.exercise import Exercise, Story
from udock_lab.grading.reproduction import Reproduction
from udock_lab.model import Requirement
from udock_lab.model.value import replace
from udock_lab.text.nearest import nearest

__all__ = [
    "GROUP",
    "SLUGS",
    "exercise",
    "folder_of",
    "hidden_exercise",
    "hidden_folder",
    "named_course",
    "of_course",
    "slugs",
]

SLUGS = (
    "m2_1_process_creation",
    "m2_2_chroot_permissions",
    "m2_3_container_ids",
    "m2_4_metadata",
    "m2_5_image_lookup",
    "m2_6_exec_failure",
    "m2_7_mdock_run",
)
GROUP = "udock_lab.exercises"
_OWN = Path(__file__).parent / "exercises"
_PARTS = ("requirements", "judge")
_DESCRIBED = "docs/write_an_exercise.md describes what an exercise is made of."


def slugs(near: Path | None = None) -> tuple[str, ...]:
    """Return the names of all exercises that are found from a folder (the current one)."""
    return tuple(dict.fromkeys((*SLUGS, *of_course(near), *_of_packages())))


def exercise(slug: str, near: Path | None = None) -> Exercise:
    """Return the exercise of that name.

    Raises NotFound, with the nearest one; UsageError where its folder is none of an exercise.
    """
    return _read(slug, folder_of(slug, near), near, hidden=False)


def folder_of(slug: str, near: Path | None = None) -> Path:
    """Return the folder of an exercise; NotFound, with the nearest one."""
    if slug in SLUGS:
        return _OWN / slug
    if (place := of_course(near).get(slug) or _of_packages().get(slug)) is not None:
        return place
    known = slugs(near)
    near_one = nearest(slug, known)
    guess = f" Did you mean {near_one!r}?" if near_one else ""
    raise NotFound(f"There is no exercise {slug!r}.{guess}", f"The exercises: {', '.join(known)}")


def hidden_exercise(slug: str, instructor: str | os.PathLike[str] | None = None, near: Path | None = None) -> Exercise:
    """Return the hidden half of an exercise, from the folder ``instructor``, or ``$UDOCK_INSTRUCTOR``.

    Raises NotFound where it is not installed.
    """
    place = hidden_folder(slug, instructor, near)
    if place is None:
        raise NotFound(
            f"The hidden requirements of {slug} are not installed here.",
            "Lecturers: set UDOCK_INSTRUCTOR to the course's folder instructor/.",
        )
    return _read(slug, place, near, hidden=True)


def hidden_folder(slug: str, instructor: str | os.PathLike[str] | None = None, near: Path | None = None) -> Path | None:
    """Return the folder of an exercise's hidden half; None where it is not installed."""
    lecturers = Path(instructor or os.environ.get("UDOCK_INSTRUCTOR", "instructor"))
    places = (lecturers.resolve() / "udock_hidden" / slug, folder_of(slug, near) / "hidden")
    return next((place for place in places if (place / "judge.py").is_file()), None)


def of_course(near: Path | None) -> dict[str, Path]:
    """Return the exercises of the course folder, slug to folder; UsageError for a table that says something else."""
    if (file := read_course_file(near)) is None:
        return {}
    table = file.table.get("exercises", {})
    for slug, place in table.items() if isinstance(table, dict) else [("", None)]:
        if not isinstance(place, str):
            raise mistake(file, ("exercises", slug), "an exercise is a folder.", f"Write: [exercises] {_EXAMPLE}")
    return {slug: file.path.parent / place for slug, place in table.items()}


_EXAMPLE = 'my_exercise = "folder/of/it"'


@cache
def _of_packages() -> dict[str, Path]:
    """Return the exercises of installed packages, slug to folder. Of their code, what is above it is run."""
    found = {}
    for entry in importlib.metadata.entry_points(group=GROUP):
        spec = importlib.util.find_spec(entry.module)
        if spec is not None and spec.submodule_search_locations:
            found[entry.name] = Path(next(iter(spec.submodule_search_locations)))
    return found


def _read(slug: str, folder: Path, near: Path | None, *, hidden: bool) -> Exercise:
    """Import the modules of a folder and make an exercise of what they say."""
    for part in _PARTS:
        if not (folder / f"{part}.py").is_file():
            raise UsageError(f"{folder} is no exercise: it has no {part}.py.", _DESCRIBED)
    package = _package(slug, folder, hidden=hidden)
    promised, judge = (importlib.import_module(f"{package}.{part}") for part in _PARTS)
    try:
        made = Exercise(
            slug=slug,
            title=promised.TITLE,
            functions=tuple(promised.FUNCTIONS) if not hidden else exercise(slug, near).functions,
            requirements=_with_hints(tuple(promised.REQUIREMENTS), hints_of(slug, near), hidden=hidden),
            stories=tuple(judge.STORIES),
            hidden=hidden,
            reproductions=_of_part(package, folder, "reproductions", "REPRODUCTIONS") if not hidden else (),
            bridges=_of_part(package, folder, "bridges", "BRIDGES") if not hidden else (),
        )
    except AttributeError as error:
        raise UsageError(f"{folder}: {error}.", _DESCRIBED) from None
    _check(made, folder)
    return made


def _with_hints(
    requirements: tuple[Any, ...], hints: dict[str, tuple[str, ...]], *, hidden: bool
) -> tuple[Requirement, ...]:
    """Add the course's own hints."""
    kind = "hidden:" if hidden else ""
    return tuple(
        replace(one, hints=(*one.hints, *more))
        if isinstance(one, Requirement) and (more := hints.get(f"{kind}{one.key}"))
        else one
        for one in requirements
    )


def _of_part(package: str, folder: Path, part: str, name: str) -> tuple[Any, ...]:
    """Return what a module that may be left out gives under this name."""
    if not (folder / f"{part}.py").is_file():
        return ()
    return tuple(getattr(importlib.import_module(f"{package}.{part}"), name))


def _package(slug: str, folder: Path, *, hidden: bool) -> str:
    """Return the name under which a folder's modules are imported, as one package."""
    if folder.parent == _OWN:
        return f"udock_lab.grading.exercises.{slug}"
    name = f"udock_exercise_{'hidden_' if hidden else ''}{slug}"
    known = sys.modules.get(name)
    if known is None or list(known.__path__) != [str(folder)]:
        for old in [module for module in sys.modules if module == name or module.startswith(f"{name}.")]:
            del sys.modules[old]
        package = ModuleType(name)
        package.__path__ = [str(folder)]
        sys.modules[name] = package
    return name


def _check(made: Exercise, folder: Path) -> None:
    """Raise UsageError for an exercise that contradicts itself."""
    promised = [requirement.key for requirement in made.requirements]
    judged = [key for story in made.stories for key in story.keys]
    waited = {key for story in made.stories for key in story.after}
    if wrong := list(_contradictions(promised, judged, waited, made)):
        raise UsageError(f"The exercise in {folder} contradicts itself: {'; '.join(wrong)}.")


def _contradictions(promised: list[str], judged: list[str], waited: set[str], made: Exercise) -> Iterator[str]:
    if not all(isinstance(one, Requirement) for one in made.requirements):
        yield "REQUIREMENTS holds something else"
    if not all(isinstance(one, Story) for one in made.stories):
        yield "STORIES holds something else"
    for key in sorted({key for key in promised if promised.count(key) > 1}):
        yield f"two requirements have the key {key!r}"
    for key in sorted({key for key in judged if judged.count(key) > 1}):
        yield f"two stories judge {key!r}"
    for key in sorted(set(promised) - set(judged)):
        yield f"no story judges {key!r}"
    for key in sorted(set(judged) - set(promised)):
        yield f"a story judges {key!r}, which no requirement promises"
    yield from _odd_reproductions(promised, made)
    yield from _odd_bridges(promised, made)
    told: set[str] = set()
    for story in made.stories:
        for key in story.after:
            if key not in told:
                yield f"a story waits for {key!r}, which is not judged before it"
        told |= set(story.keys)


def _odd_reproductions(promised: list[str], made: Exercise) -> Iterator[str]:
    for one in made.reproductions:
        if not isinstance(one, Reproduction):
            yield "REPRODUCTIONS holds something else"
        elif one.key not in promised:
            yield f"{one.key!r} is reproduced, which no requirement promises"
        elif foreign := set(one.functions) - set(made.functions):
            yield f"the reproduction of {one.key!r} takes {foreign.pop()!r}, which is none of FUNCTIONS"


def _odd_bridges(promised: list[str], made: Exercise) -> Iterator[str]:
    for one in made.bridges:
        if not isinstance(one, Bridge):
            yield "BRIDGES holds something else"
        elif one.kind not in (COMPLETE, REPAIR):
            yield f"a bridge is there to complete or to repair, not to {one.kind!r}"
        elif foreign := set(one.keys) - set(promised):
            yield f"a bridge leads to {foreign.pop()!r}, which no requirement promises"
        elif one.stands_for not in made.functions:
            yield f"a bridge stands for {one.stands_for!r}, which is none of FUNCTIONS"


def named_course(name: str | None) -> Path | None:
    """Return the course folder that somebody named with ``--course``, None where nobody did; NotFound for no such."""
    if name is None:
        return None
    place = Path(name)
    if not (place / "source").is_dir():
        raise NotFound(f"{place} is no course folder: it has no source/.", "Make one: udock-lab course DIR")
    return place
