"""``udock-lab`` in a terminal: the course in the hands of a person.

``udock-lab start [DIR]`` lays the lessons, without their outputs, and the exercises into a folder of the learner's and
opens JupyterLab there. Started again it brings what is new and never writes over the learner's work: a small list of
hashes, ``.udock-lab.json``, tells what the learner has changed.

Exit codes: 0, 1 for an error, 2 for wrong arguments, 130 after Ctrl-C.
"""

from __future__ import annotations

import json
import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from udock_lab.errors import MdockError, UsageError
from udock_lab.linux.wholefile import write_whole

__all__ = ["SUBCOMMANDS", "Laid", "Subcommand", "lay_out", "main", "without_outputs"]

MANIFEST = ".udock-lab.json"
DEFAULT_FOLDER = "udock-lab"
_INTERRUPTED = 128 + 2  # SIGINT
_PACKAGE = Path(__file__).resolve().parent


# --- what the course consists of


def course_folders() -> list[tuple[Path, str]]:
    """Return (folder, where it goes below the learner's).

    From the wheel, or from the sources that the package is in.
    """
    carried = _PACKAGE / "course_files"
    if carried.is_dir():
        return [(carried / "notebooks", ""), (carried / "exercises", "exercises")]
    return [(_PACKAGE.parent / "notebooks", ""), (_PACKAGE.parent / "exercises" / "release", "exercises")]


def course_files() -> Iterator[tuple[str, bytes]]:
    """Return (path below the learner's folder, content) of every file of the course; lessons without their outputs."""
    for folder, below in course_folders():
        for path in sorted(folder.rglob("*")):
            inside = path.relative_to(folder)
            if path.is_file() and not any(part.startswith((".", "__")) for part in inside.parts):
                data = path.read_bytes()
                yield str(below / inside), without_outputs(data) if path.suffix == ".ipynb" else data


def without_outputs(notebook: bytes) -> bytes:
    """Return a notebook (JSON) whose cells have not been run, so that it gives no answer away."""
    content: dict[str, Any] = json.loads(notebook)
    for cell in content["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
    return json.dumps(content, indent=1, ensure_ascii=False).encode() + b"\n"


# --- laying it into the learner's folder


class Laid(NamedTuple):
    """What ``start`` did, each a list of paths below the folder. ``beside``: (the learner's, our newer one)."""

    added: list[str]
    updated: list[str]
    kept: list[str]
    beside: list[tuple[str, str]]

    def __str__(self) -> str:
        done = ((self.added, "added"), (self.updated, "updated"))
        did = [f"{len(files)} file{'s' * (len(files) > 1)} {word}" for files, word in done if files]
        kept = len(self.kept) + len(self.beside)
        if kept:
            did.append(f"{kept} of yours kept as {'it is' if kept == 1 else 'they are'}")
        said = ", ".join(did) or "everything was there"
        if self.beside:
            pairs = ", ".join(f"{new} beside your {yours}" for yours, new in self.beside)
            said += f"; there is a newer version: {pairs}"
        return said


def lay_out(target: Path) -> Laid:
    """Bring the course's files into ``target``, made if it is missing. Files that the learner changed stay untouched.

    OSError where that folder cannot be written to.
    """
    target.mkdir(parents=True, exist_ok=True)
    handed_out, laid = _read_manifest(target), Laid([], [], [], [])
    for name, data in course_files():
        _lay_one(target, name, data, handed_out, laid)
        handed_out[name] = _hash(data)
    listed = json.dumps({"files": handed_out}, indent=1, sort_keys=True).encode() + b"\n"
    if _content(target / MANIFEST) != listed:
        write_whole(target / MANIFEST, listed)
    return laid


def _lay_one(target: Path, name: str, data: bytes, handed_out: dict[str, str], laid: Laid) -> None:
    there = _content(target / name)
    if there is None:
        write_whole(target / name, data)
        laid.added.append(name)
    elif there == data:
        pass
    elif _hash(there) == handed_out.get(name):
        write_whole(target / name, data)
        laid.updated.append(name)
    elif handed_out.get(name) == _hash(data):  # the learner's work on the version that we have, too
        laid.kept.append(name)
    else:
        laid.beside.append((name, _write_beside(target, name, data)))


def _write_beside(target: Path, name: str, data: bytes) -> str:
    """Write ``lesson.ipynb`` as ``lesson.new.ipynb``, or the first ``lesson.newN.ipynb`` that is free; return it."""
    stem, dot, suffix = name.rpartition(".")
    number = 1
    while True:
        other = f"{stem}{dot}new{number if number > 1 else ''}.{suffix}"
        there = _content(target / other)
        if there is None:
            write_whole(target / other, data)
        if there in (None, data):
            return other
        number += 1


def _content(path: Path) -> bytes | None:
    """Return a file's bytes, None where there is nothing.

    What is no readable file counts as a learner's own, as b"" does.
    """
    if not os.path.lexists(path):
        return None
    try:
        return path.read_bytes() if path.is_file() else b""
    except OSError:
        return b""


def _hash(data: bytes) -> str:
    import hashlib

    return hashlib.sha256(data).hexdigest()


def _read_manifest(target: Path) -> dict[str, str]:
    """Return what was handed out last: path to hash.

    Empty where the list is missing or damaged: then nothing is replaced.
    """
    try:
        files = json.loads((target / MANIFEST).read_bytes())["files"]
        return {str(name): str(value) for name, value in files.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


# --- udock-lab start


def start(args: Namespace) -> int:
    """Copy, make the image, open JupyterLab (does not return then)."""
    from udock_lab.commands.base import require_linux

    require_linux()
    if not args.folder:
        raise UsageError("The folder's name is empty.", "Name one, or none for ./udock-lab: udock-lab start")
    target = Path(args.folder)
    try:
        laid = lay_out(target)
        target = target.resolve()
    except OSError as error:
        raise MdockError(_why_not(target, error), "Give another folder: udock-lab start DIR") from None
    _say(f"{target}: {laid}.")
    _say(f"Image: {_demo()}.")
    if args.no_lab:
        return 0
    return _open_lab(target, args.options)


def _why_not(target: Path, error: OSError) -> str:
    if target.exists() and not target.is_dir():
        return f"{target} is a file, and the course needs a folder."
    place = f" (at {error.filename})" if error.filename and str(error.filename) != str(target) else ""
    return f"The course cannot be laid into {target}: {error.strerror or error}{place}."


def _demo() -> str:
    """Make the image ``demo`` where it is missing; a machine that refuses still gets its lessons."""
    from udock_lab.runtime.engine import Runtime

    try:
        image = Runtime(forked=True).demo()
    except (MdockError, OSError) as error:
        return f"demo could not be made: {error}"
    return f"{image.name} is ready"


def _open_lab(target: Path, options: Sequence[str]) -> int:
    """Become JupyterLab (execv), on the first lesson."""
    import importlib.util

    if importlib.util.find_spec("jupyterlab") is None:
        raise MdockError("JupyterLab is not installed here.", "Install it: pip install udock-lab")
    first = min(path.name for path in target.glob("*.ipynb"))
    words = [f"--ServerApp.root_dir={target}", f"--LabApp.default_url=/lab/tree/{first}"]
    if os.geteuid() == 0:
        words.append("--allow-root")
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        _say("No display here: open the address below in a browser.")
        words.append("--no-browser")
    here = os.path.dirname(sys.executable)  # so that `!mdock` in a cell is this installation's
    os.environ["PATH"] = f"{here}:{os.environ.get('PATH', os.defpath)}"
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "jupyterlab", *words, *options])


def _start_options(parser: ArgumentParser) -> None:
    parser.add_argument("folder", nargs="?", default=DEFAULT_FOLDER, metavar="DIR", help="default: ./udock-lab")
    parser.add_argument("--no-lab", "--no-open", action="store_true", help="only copy; do not open JupyterLab")
    parser.epilog = "Words after -- go to JupyterLab: udock-lab start -- --port 9999"


def version(_args: Namespace) -> int:
    """Say which version this is."""
    from udock_lab import __version__

    _say(f"udock-lab {__version__}")
    return 0


# --- for lecturers: the work is done in grading/, which need not be there to start the course


def _course(args: Namespace) -> int:
    from udock_lab.grading import lecturer

    return lecturer.course(args)


def _course_options(parser: ArgumentParser) -> None:
    parser.add_argument("folder", nargs="?", default="course", metavar="DIR", help="default: ./course")


def _grade(args: Namespace) -> int:
    from udock_lab.commands.base import require_linux
    from udock_lab.grading import lecturer

    require_linux()
    return lecturer.grade(args)


def _grade_options(parser: ArgumentParser) -> None:
    parser.add_argument("folder", metavar="SUBMITTED_DIR", help="<learner>/<assignment>/*.ipynb, or *.ipynb")
    parser.add_argument("-j", "--jobs", type=int, metavar="N", help="how many at a time (default: as many as cores)")
    parser.add_argument("--out", metavar="DIR", help="where results go (default: graded, beside SUBMITTED_DIR)")
    parser.add_argument("--course", metavar="DIR", help="course folder, with source/ and instructor/")
    parser.add_argument("--again", action="store_true", help="judge also what was judged before and has not changed")


# --- the program


class Subcommand(NamedTuple):
    """One word after ``udock-lab``: its help, its options, and what it does (returns the exit code)."""

    name: str
    help: str
    run: Callable[[Namespace], int]
    options: Callable[[ArgumentParser], None] = lambda parser: None


SUBCOMMANDS = (
    Subcommand("start", "copy the course into a folder and open it in JupyterLab", start, _start_options),
    Subcommand("course", "for lecturers: lay out an nbgrader course folder", _course, _course_options),
    Subcommand("grade", "for lecturers: judge a folder of submissions", _grade, _grade_options),
    Subcommand("version", "say which version this is", version),
)


def command() -> NoReturn:
    """Run the program; after an interrupt or a failure leave at once, without waiting for the threads that judge."""
    if sys.platform == "linux":
        from udock_lab.linux.dispositions import hear_of_children

        hear_of_children()
    code = main()
    if code:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line (default ``sys.argv[1:]``) and return the exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        args = _parse(words)
        code: int = args.run(args)
        return code
    except MdockError as error:
        _complain(str(error))
        return 2 if isinstance(error, UsageError) else 1
    except OSError as error:
        _complain(f"{error.filename or 'Reading or writing failed'}: {error.strerror or error}")
        return 1
    except KeyboardInterrupt:
        return _INTERRUPTED


def _parse(words: list[str]) -> Namespace:
    """Parse the command line; what stands behind ``--`` is left alone, as ``options``."""
    cut = words.index("--") if "--" in words else len(words)
    parser = ArgumentParser("udock-lab", description="The course on how containers really work.")
    parser.set_defaults(run=lambda args: _no_command(parser))
    commands = parser.add_subparsers(metavar="COMMAND")
    for command in SUBCOMMANDS:
        below = commands.add_parser(command.name, help=command.help)
        below.description = f"{command.help[0].upper()}{command.help[1:]}."
        command.options(below)
        below.set_defaults(run=command.run)
    return parser.parse_args(words[:cut], Namespace(options=words[cut + 1 :]))


def _no_command(parser: ArgumentParser) -> int:
    parser.print_help(sys.stderr)
    return 2


def _say(text: str) -> None:
    _write(sys.stdout, text)


def _complain(text: str) -> None:
    _write(sys.stderr, f"udock-lab: {text}")


def _write(stream: Any, text: str) -> None:
    """Write a line, also with a folder's name that is no text in this locale."""
    with suppress(BrokenPipeError):
        stream.write(text.encode(stream.encoding, "backslashreplace").decode(stream.encoding) + "\n")
        stream.flush()


if __name__ == "__main__":
    command()
