"""``udock-lab`` in a terminal: the course in the hands of a person.

``udock-lab start [DIR]`` lays the lessons, without their outputs, and the exercises into a folder of the learner's and
opens JupyterLab there. Started again it brings what is new and never writes over the learner's work: a small list of
hashes, ``.udock-lab.json``, tells what the learner has changed. An export that was dropped into the folder is brought
in. ``udock-lab export`` and ``udock-lab import`` carry the work to another machine.

Exit codes: 0, 1 for an error, 2 for wrong arguments, 130 after Ctrl-C.
"""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from udock_lab.course import coursefolder, keeping, students
from udock_lab.course.keeping import take_in_dropped
from udock_lab.course.layout import lay_out
from udock_lab.course.opening import open_lab
from udock_lab.errors import MdockError, UsageError

__all__ = ["SUBCOMMANDS", "Subcommand", "command", "main"]

DEFAULT_FOLDER = "udock-lab"
_INTERRUPTED = 128 + 2  # SIGINT


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
    take_in_dropped(target, _say)
    _say(f"Image: {_demo()}.")
    if args.no_lab:
        return 0
    return open_lab(target, args.options, _say)


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


def _start_options(parser: ArgumentParser) -> None:
    parser.add_argument("folder", nargs="?", default=DEFAULT_FOLDER, metavar="DIR", help="default: ./udock-lab")
    parser.add_argument("--no-lab", "--no-open", action="store_true", help="only copy; do not open JupyterLab")
    parser.epilog = "Words after -- go to JupyterLab: udock-lab start -- --port 9999"


def version(_args: Namespace) -> int:
    """Say which version this is."""
    from udock_lab.version import __version__

    _say(f"udock-lab {__version__}")
    return 0


def _with(run: Callable[[Namespace, Callable[[str], None]], int]) -> Callable[[Namespace], int]:
    """Have a subcommand write its lines here; raise Unsupported where the machine is not Linux."""

    def on_linux(args: Namespace) -> int:
        from udock_lab.commands.base import require_linux

        require_linux()
        return run(args, _say)

    return on_linux


# --- for lecturers: the work is done in grading/, which need not be there to start the course


def _grade(args: Namespace) -> int:
    from udock_lab.commands.base import require_linux
    from udock_lab.grading import lecturer

    require_linux()
    return lecturer.grade(args)


def _grade_options(parser: ArgumentParser) -> None:
    parser.add_argument("-j", "--jobs", type=int, metavar="N", help="how many at a time (default: as many as cores)")
    _class_options(parser)
    parser.add_argument("--again", action="store_true", help="judge also what was judged before and has not changed")
    parser.add_argument("--only", action="append", default=[], metavar="LEARNER", help="judge this learner's alone")
    parser.add_argument("--shard", metavar="I/N", help="judge the I-th of N parts, counted from 0; then collect")
    parser.add_argument(
        "--cluster",
        metavar="ADDRESS",
        help="judge on the workers of this Dask scheduler; local: on --jobs workers here",
    )


def _collect(args: Namespace) -> int:
    from udock_lab.commands.base import require_linux
    from udock_lab.grading import lecturer

    require_linux()
    return lecturer.collect(args)


def _class_options(parser: ArgumentParser) -> None:
    parser.add_argument("folder", metavar="SUBMITTED", help="a folder of submissions, or a learning platform's zip")
    parser.add_argument("--out", metavar="DIR", help="where results go (default: graded, next to SUBMITTED)")
    parser.add_argument("--course", metavar="DIR", help="course folder, with source/ and instructor/")
    parser.add_argument("--roster", metavar="FILE", help="a CSV file, id,name,email: who is in the class")
    parser.add_argument("--export", action="append", default=[], choices=("csv", "moodle", "canvas"), help="for import")
    parser.add_argument("--requirements", action="store_true", help="in an export a column for each requirement, too")
    parser.add_argument("--reports", action="store_true", help="a report for each learner, however many there are")


def _check(args: Namespace) -> int:
    from udock_lab.commands.base import require_linux
    from udock_lab.grading import notebookcheck

    require_linux()
    return notebookcheck.check(args)


def _check_options(parser: ArgumentParser) -> None:
    parser.add_argument("notebooks", nargs="+", metavar="NOTEBOOK", help="an exercise's notebook")
    parser.add_argument("--json", action="store_true", help="print what a program reads")
    parser.add_argument("--summary", metavar="FILE", help="append a Markdown table to FILE (GitHub's page: by itself)")
    parser.add_argument(
        "--classroom", action="store_true", help="tell GitHub Classroom's reporter, as this step's result"
    )
    parser.add_argument("--course", metavar="DIR", help="course folder: judge hidden requirements too")
    parser.epilog = "Exit code: 0 if no point is missing, 1 if one is, 2 for wrong arguments."


def _gradescope(args: Namespace) -> int:
    from udock_lab.commands.base import require_linux
    from udock_lab.course import autograder

    require_linux()
    return autograder.gradescope(args, _say)


def _gradescope_options(parser: ArgumentParser) -> None:
    parser.add_argument("exercises", nargs="+", metavar="EXERCISE", help="what the assignment asks for")
    parser.add_argument("--out", default="autograder.zip", metavar="FILE", help="default: autograder.zip")
    parser.add_argument("--course", metavar="DIR", help="course folder, with source/ and instructor/")
    parser.add_argument(
        "--hidden",
        choices=("visible", "after_due_date", "after_published", "hidden"),
        default="after_published",
        help="when learners see the hidden requirements (default: after_published)",
    )


def _exercise(args: Namespace) -> int:
    from udock_lab.commands.base import require_linux
    from udock_lab.grading import authoring

    require_linux()
    return authoring.author(args)


def _exercise_options(parser: ArgumentParser) -> None:
    parser.add_argument("slug", metavar="EXERCISE", help="its name: a line in course.toml, or one of this package")
    parser.add_argument("--corpus", metavar="DIR", help="where its answers are (default: corpus, in its folder)")
    parser.add_argument("--notebook", action="store_true", help="write source/EXERCISE/EXERCISE.ipynb")


def _new(args: Namespace) -> int:
    from udock_lab.commands.base import require_linux
    from udock_lab.grading import newexercise

    require_linux()
    return newexercise.new_exercise(args)


def _new_options(parser: ArgumentParser) -> None:
    parser.add_argument("what", choices=["exercise"], help="what to write")
    parser.add_argument("slug", metavar="SLUG", help="its name, which its function gets, too: exit_status")
    parser.add_argument("--course", metavar="DIR", help="course folder (default: that of course.toml here or above)")


# --- the program


class Subcommand(NamedTuple):
    """One word after ``udock-lab``: its help, its options, and what it does (returns the exit code)."""

    name: str
    help: str
    run: Callable[[Namespace], int]
    options: Callable[[ArgumentParser], None] = lambda parser: None


SUBCOMMANDS = (
    Subcommand("start", "copy the course into a folder and open it in JupyterLab", start, _start_options),
    Subcommand(
        "export", "pack your notebooks, answers and points into one file", _with(keeping.export), keeping.export_options
    ),
    Subcommand(
        "import", "bring back what export packed; nothing here is lost", _with(keeping.import_), keeping.import_options
    ),
    Subcommand("check", "judge exercises in a terminal or in CI; the exit code tells", _check, _check_options),
    Subcommand(
        "course",
        "for lecturers: lay out an nbgrader course folder, or bring one up to date",
        lambda args: coursefolder.course(args, _say),
        coursefolder.course_options,
    ),
    Subcommand(
        "release",
        "for lecturers: write the repository that learners get",
        _with(students.release),
        students.release_options,
    ),
    Subcommand("gradescope", "for lecturers: write an autograder for Gradescope", _gradescope, _gradescope_options),
    Subcommand("grade", "for lecturers: judge a folder of submissions", _grade, _grade_options),
    Subcommand("collect", "for lecturers: make a class of what was judged in parts", _collect, _class_options),
    Subcommand(
        "exercise", "for authors: judge an exercise's corpus, or write its notebook", _exercise, _exercise_options
    ),
    Subcommand("new", "for authors: begin an exercise of your own, with a judge that works", _new, _new_options),
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
