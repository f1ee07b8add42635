"""``udock-lab release DIR``: the repository that learners get, without solutions, hidden requirements and tests.

::

    DIR/lessons/      lessons and exercises, as ``udock-lab start`` lays them out
    DIR/wheels/       this package, built from the clone
    DIR/binder/, .devcontainer/, .github/workflows/   one image for hubs, Binder and Codespaces; GitHub Classroom
    DIR/README.md     how to begin, with badges where the repository's address is known

``--course`` adds a lecturer's own exercises (ownexercises.py).

The same command brings a later version. ``.udock-release.json`` has the hashes of what was written: a file that was
changed since then is somebody's work and stays.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from udock_lab.course.building import CLONE, wheel
from udock_lab.course.layout import lay_out
from udock_lab.errors import Conflict, NotFound, UsageError
from udock_lab.linux.wholefile import write_whole
from udock_lab.work.folder import change_manifest, content_of, handed_out, hash_of

__all__ = ["origin_of", "release", "release_options"]

_MANIFEST = ".udock-release.json"
_SHARED = (
    "binder/Dockerfile",
    "binder/apt.txt",
    "binder/postBuild",
    ".dockerignore",
    "LICENSE",
)  # the same as in the clone
_JUDGED = "lessons/exercises/m2_*/m2_*.ipynb"  # in the workflow; a lecturer's own exercises come behind it
_NAME = re.compile(r"[\w.-]+/[\w.-]+")
_BINDER = (
    "[![Binder](https://mybinder.org/badge_logo.svg)]"
    "(https://mybinder.org/v2/gh/{name}/HEAD?urlpath=lab/tree/lessons/00_start_here.ipynb)"
)
_CODESPACE = "[![Open in GitHub Codespaces](https://github.com/codespaces/badge.svg)](https://codespaces.new/{name})"

Say = Callable[[str], None]


def release_options(parser: ArgumentParser) -> None:
    """Name the options of ``udock-lab release``."""
    parser.add_argument(
        "folder", metavar="DIR", help="a folder that is new, or one that this command wrote, or a git clone"
    )
    parser.add_argument(
        "--repository", metavar="OWNER/NAME", help="its name on GitHub, for the badges (default: that of DIR's origin)"
    )
    parser.add_argument(
        "--course", metavar="COURSE", help="a course folder, for the exercises that its course.toml names"
    )


def release(args: Namespace, say: Say) -> int:
    """Write the learners' repository, or bring it up to date.

    Raises NotFound where this is no clone, UsageError for a name that is none, Conflict for a folder of ours.
    """
    templates, target = CLONE / "exercises" / "students", Path(args.folder)
    if not templates.is_dir():
        raise NotFound(
            "This is the learners' installation: it cannot build what learners get.",
            "Lecturers work from a clone of the repository: run `udock-lab release DIR` in it.",
        )
    if target.exists() and not target.is_dir():
        raise Conflict(f"{target} is a file.", "Name a new folder: udock-lab release DIR")
    if target.resolve() == CLONE or (target / "exercises" / "source").is_dir():
        raise Conflict(f"{target} has the solutions.", "Name a folder of its own: udock-lab release ../students")
    name = args.repository or origin_of(target)
    if args.repository and not _NAME.fullmatch(args.repository):
        raise UsageError(f"{args.repository} is no name on GitHub.", "It is OWNER/NAME: --repository school/containers")
    own = _own(Path(args.course)) if args.course else {}
    judged = [path for path in own if path.endswith(".ipynb")]
    target.mkdir(parents=True, exist_ok=True)
    say(f"{target}/lessons: {lay_out(target / 'lessons')}.")
    with tempfile.TemporaryDirectory() as place:
        built = wheel(Path(place))
        _bring(target, dict([*_files(templates, built, name, judged), *own.items()]), say)
    say(f"Look at it, commit and push it: git -C {target} status")
    if not name:
        say("Its address is not known yet, so the README has no badges: --repository OWNER/NAME")
    return 0


def _own(course: Path) -> dict[str, bytes]:
    from udock_lab.course.ownexercises import own_files  # grading/ need not be there to start the course

    return dict(own_files(course))


def origin_of(folder: Path) -> str:
    """Return OWNER/NAME of a clone's origin on GitHub, or nothing."""
    if not (folder / ".git").exists():
        return ""
    asked = subprocess.run(["git", "-C", folder, "remote", "get-url", "origin"], capture_output=True, text=True)
    found = re.search(r"github\.com[:/]([\w.-]+/[\w.-]+?)(\.git)?/?$", asked.stdout.strip())
    return found[1] if found else ""


def _files(templates: Path, built: Path, name: str, own: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """Return (path below the repository, content) of all but the lessons."""
    badges = f"{_BINDER}\n{_CODESPACE}\n\n".format(name=name) if name else ""
    put = {"{wheel}": f"wheels/{built.name}", "{badges}": badges, _JUDGED: " ".join([_JUDGED, *own])}
    for path in sorted(templates.rglob("*")):
        if path.is_file():
            text = path.read_text()
            for key, value in put.items():
                text = text.replace(key, value)
            yield str(path.relative_to(templates)), text.encode()
    for shared in _SHARED:
        yield shared, (CLONE / shared).read_bytes()
    yield f"wheels/{built.name}", built.read_bytes()


def _bring(target: Path, files: dict[str, bytes], say: Say) -> None:
    """Write what is new, remove what is no longer part of it, leave alone what was changed."""
    known = handed_out(target, _MANIFEST)
    for name, data in files.items():
        there = content_of(target / name)
        if there is None or hash_of(there) == known.get(name):
            write_whole(target / name, data)
            known[name] = hash_of(data)
        elif there != data:
            say(f"{name} of yours is kept. To have ours: remove it, and run this again.")
        else:
            known[name] = hash_of(data)
    for name in [name for name in known if name not in files]:
        there = content_of(target / name)
        if there is not None and hash_of(there) == known[name]:
            (target / name).unlink()
        del known[name]
    (target / "binder" / "postBuild").chmod(0o755)
    change_manifest(target, _MANIFEST, files=known)
