"""``udock-lab new exercise SLUG``: an exercise that is judged rightly from its first minute, to be changed from there.

What is written is the exercise of docs/write_an_exercise.md under another name: ``template/``, with the slug in the
place of ``ends_well``, into the folder of the nearest ``course.toml``, or the current one. Nothing that is there is
written over; the table ``[exercises]`` gets one line.
"""

from __future__ import annotations

import builtins
import keyword
import re
import sys
import tokenize
import tomllib
from argparse import Namespace
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from udock_lab.errors import Conflict, UsageError
from udock_lab.grading.authoring import notebook
from udock_lab.grading.corpus import answers
from udock_lab.grading.coursefile import COURSE_FILE, course_file
from udock_lab.grading.sources import exercise, hidden_exercise, slugs
from udock_lab.linux.wholefile import write_whole
from udock_lab.text.terminal import printable

__all__ = ["new_exercise"]

_TEMPLATE = Path(__file__).parent / "template"
_NAMED = "ends_well"  # in the template: slug and function
_ANSWERS = "answers"  # in the template; what is installed at learners' has no corpus
_SETTINGS = "nbgrader_config.py"
_SLUG = re.compile(r"[a-z][a-z0-9_]{2,39}", re.ASCII)
_HALVES = ("_check", "_hidden")  # how the names of check cells end


def new_exercise(args: Namespace) -> int:
    """Write the exercise, say what to type next.

    UsageError for a name that cannot be one, Conflict where there is something of that name.
    """
    near = course_file()
    course = Path(args.course) if args.course else near.parent if near else Path()
    if course.exists() and not course.is_dir():
        raise Conflict(f"{course} is a file.", "Name a folder: udock-lab new exercise SLUG --course DIR")
    slug = _slug_of(args.slug, course)
    folder, source = course / "exercises" / slug, course / "source" / slug / f"{slug}.ipynb"
    for place in (folder, source):
        if place.exists():
            raise Conflict(f"{place} is there already.", "Take another name, or move it away.")
    listed = _with_line(course / COURSE_FILE, slug)
    for name, text in _files(slug):
        write_whole(folder / name, text.encode())
    write_whole(course / COURSE_FILE, listed.encode())
    if not (course / _SETTINGS).exists():
        write_whole(course / _SETTINGS, (_TEMPLATE / _SETTINGS).read_bytes())
    public, hidden = exercise(slug, course), hidden_exercise(slug, near=course)
    right = next(answer for answer in answers(slug, folder / "corpus") if answer.right)
    write_whole(source, notebook(public, hidden, right).encode())
    _tell(course, slug)
    return 0


def _tell(course: Path, slug: str) -> None:
    there = f"cd {course}; " if course != Path() and course.resolve() != Path.cwd() else ""
    print(printable(f"{course / 'exercises' / slug}: requirements, judge, hidden half, and a corpus of four answers."))
    print(printable(f"{course / 'source' / slug / f'{slug}.ipynb'}: the notebook, with the solution."))
    print(printable(f"Its judge is right about each answer:  {there}udock-lab exercise {slug}"))
    print("Change it from there, as docs/write_an_exercise.md describes. What learners get:")
    print(printable(f"  {there}nbgrader generate_assignment {slug}"))


# --- its name


def _slug_of(word: str, course: Path) -> str:
    """Return it; UsageError for what no exercise and function can be called, Conflict for a name that is taken."""
    if not _SLUG.fullmatch(word):
        guess = re.sub(r"[^a-z0-9]+", "_", word.lower()).strip("_0123456789")[:40]
        hint = f"As in: udock-lab new exercise {guess if _SLUG.fullmatch(guess) else 'exit_status'}"
        raise UsageError(
            f"{printable(word)!r} is no name for an exercise: 3 to 40 small letters, digits and _, a letter first.",
            hint,
        )
    if word.endswith(_HALVES):
        raise UsageError(f"{word} ends as the name of a check cell does.", "Leave _check or _hidden out.")
    if word in _taken_names():
        raise UsageError(
            f"{word} is a name that Python or the exercise's own files use, and its function is called so.",
            f"As in: udock-lab new exercise {word}_exercise",
        )
    if word in slugs(course):
        raise Conflict(f"There is an exercise {word} already.", "Take another name.")
    return word


@cache
def _taken_names() -> frozenset[str]:
    """Return what a function of the learner's must not be called: another thing has that name beside it."""
    taken = {*keyword.kwlist, *keyword.softkwlist, *dir(builtins), *sys.stdlib_module_names, "check", "score"}
    for path in sorted(_TEMPLATE.rglob("*.py")):
        with path.open("rb") as file:
            taken |= {token.string for token in tokenize.tokenize(file.readline) if token.type == tokenize.NAME}
    return frozenset(taken - {_NAMED})


# --- its files


def _files(slug: str) -> Iterator[tuple[str, str]]:
    """Return (path in the exercise's folder, text)."""
    for path in sorted(_TEMPLATE.rglob("*.py")):
        if path.name != _SETTINGS:
            place = path.relative_to(_TEMPLATE)
            name = Path("corpus", path.name) if place.parts[0] == _ANSWERS else place
            yield str(name), path.read_text().replace(_NAMED, slug)


def _with_line(file: Path, slug: str) -> str:
    """Return the text of ``course.toml`` with a line for the exercise; everything else stays as somebody wrote it."""
    text = file.read_text() if file.exists() else ""
    line = f'{slug} = "exercises/{slug}"\n'
    head = re.search(r"^\[exercises\][^\S\n]*(?:#.*)?(?:\n|\Z)", text, re.MULTILINE)
    if head:
        begun = text[: head.end()] + ("" if head[0].endswith("\n") else "\n")
        made = begun + line + text[head.end() :]
    else:
        made = f"{text.rstrip()}\n\n[exercises]\n{line}".lstrip()
    try:
        good = tomllib.loads(made)["exercises"][slug] == f"exercises/{slug}"
    except (ValueError, LookupError, TypeError):
        good = False
    if not good:
        raise UsageError(f"{file} cannot take a line more.", f"Write it yourself, below [exercises]: {line.strip()}")
    return made
