"""``make site``: the lessons, with the outputs that they hold, as a site that needs no kernel and no network.

::

    build/site/source/   this clone's files, in the same folders, and the first page
    build/site/html/     the site: put it behind any web server

Sphinx reads site/conf.py. A warning of its ends the build.
"""

from __future__ import annotations

import argparse
import html
import json
import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

from udock_lab.course.layout import course_files
from udock_lab.course.students import origin_of
from udock_lab.lesson.outline import COURSE, EXERCISES, Entry

ROOT = Path(__file__).resolve().parents[1]
TAKEN = ("README.md", "CONTRIBUTING.md", "notebooks", "docs", "exercises/README.md", "exercises/release")
LECTURERS = ("docs/run_sheet", "exercises/README", "docs/write_an_exercise")  # what else is in docs/ follows
KIT = ("README", "docs/architecture", "docs/isolation", "docs/vocabulary", "CONTRIBUTING")
MARK = ".made-by-make-site"  # in a folder that may be made anew
TITLES = {"README": "What udock-lab is", "exercises/README": "The exercises, for lecturers"}
LEAD = """\
You predict what a system call does, run it for real, and see what the kernel did: `fork`, `chroot`, `execve`,
`waitpid`, wait statuses, records, logs. Nothing is simulated. Read here what one machine answered, unfold the
timelines, step through the programs; then run a lesson yourself, where the answers are your machine's.
"""


def main(words: Sequence[str] | None = None) -> int:
    """Build the site and return Sphinx's exit code."""
    args = _options().parse_args(words)
    missing = [name for name in ("sphinx", "myst_nb", "sphinx_book_theme") if not find_spec(name)]
    if missing:
        print(f"The site needs {', '.join(missing)}: pip install 'udock-lab[site]'", file=sys.stderr)
        return 1
    if args.out.exists() and any(args.out.iterdir()) and not (args.out / MARK).is_file():
        print(f"{args.out} holds something else. Name a new folder: --out DIR", file=sys.stderr)
        return 1
    from sphinx.cmd.build import build_main  # half a second

    repository = args.repository or origin_of(ROOT)
    source, made = args.out / "source", args.out / "html"
    shutil.rmtree(args.out, ignore_errors=True)
    args.out.mkdir(parents=True)
    (args.out / MARK).touch()
    lay_out_sources(source)
    settings = [f"-Dudock_repository={repository}", f"-Dudock_learners={args.learners or repository}"]
    places = [str(source), str(made)]
    code = build_main(
        ["-c", str(ROOT / "site"), "-d", str(args.out / "doctrees"), "-W", "--keep-going", "-q", *settings, *places]
    )
    if not code:
        _add_notebooks(made)
        print(f"{made}: open index.html, or: python -m http.server --directory {made}")
    return code


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("make_site", description="Build the course's site.")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "site", metavar="DIR", help="default: build/site")
    parser.add_argument("--repository", default="", metavar="OWNER/NAME", help="on GitHub, where links to sources lead")
    parser.add_argument(
        "--learners", default="", metavar="OWNER/NAME", help="what Binder and Codespaces open (default: the same)"
    )
    return parser


# --- what Sphinx reads


def lay_out_sources(source: Path) -> None:
    """Copy this clone's files into ``source``, in the same folders, and write the first page."""
    for name in TAKEN:
        for file in _files(ROOT / name):
            place = source / file.relative_to(ROOT)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, place)
    (source / "index.md").write_text(first_page(source))


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    else:
        inside = (one for one in sorted(path.rglob("*")) if one.is_file())
        yield from (one for one in inside if not any(part.startswith(".") for part in one.relative_to(ROOT).parts))


def first_page(source: Path) -> str:
    """Return the first page, in Markdown: the lessons in their order, and what is in the bar at the side."""
    there = {
        str(path.relative_to(source).with_suffix("")) for path in source.rglob("*") if path.suffix in (".md", ".ipynb")
    }
    lessons = [(f"notebooks/{lesson.slug}", lesson.title) for lesson in COURSE]
    exercises = [(f"exercises/release/{slug}/{slug}", "") for slug in EXERCISES]
    more = sorted(page for page in there if page.startswith("docs/") and page not in (*LECTURERS, *KIT))
    parts = [
        ("Lessons", [*lessons, ("notebooks/glossary", "")]),
        ("Exercises", exercises),
        ("For lecturers", [(page, "") for page in (*LECTURERS, *more)]),
        ("The kit", [(page, "") for page in KIT]),
    ]
    cards = "\n".join(map(_card, COURSE))
    listed = "\n".join(_toctree(caption, [one for one in pages if one[0] in there]) for caption, pages in parts)
    picture = re.search(r"!\[[^\]]*\]\(docs/lesson\.png\)", (ROOT / "README.md").read_text())
    minutes = sum(lesson.minutes for lesson in COURSE)
    return "\n".join([
        f"# How containers really work\n\n{LEAD}",
        f"## The lessons\n\n{len(COURSE)} pages, {minutes} minutes in all. You need some Python and no system calls.\n",
        f'<ol class="lessons">\n{cards}\n</ol>\n',
        f"## What a lesson looks like\n\n{picture[0] if picture else ''}\n",
        listed,
    ])  # fmt: skip


def _card(lesson: Entry) -> str:
    """Return a lesson as one line of HTML, with what its notebook promises."""
    first = "".join(json.loads((ROOT / "notebooks" / lesson.notebook).read_text())["cells"][0]["source"])
    promise = re.search(r"^\*\*After this lesson you can\*\* (.*)$", first, re.MULTILINE)
    can = re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(promise[1] if promise else ""))
    can = re.sub(r"\*([^*]+)\*", r"<em>\1</em>", can)
    title = f'<a href="notebooks/{lesson.slug}.html">{html.escape(lesson.title)}</a>'
    return f"<li><p>{title} <small>{lesson.minutes} minutes</small></p><p>You can {can}</p></li>"


def _toctree(caption: str, pages: Sequence[tuple[str, str]]) -> str:
    lines = [f"{title or TITLES.get(page, '')} <{page}>" if title or page in TITLES else page for page, title in pages]
    return "\n".join(["```{toctree}", ":hidden:", f":caption: {caption}", "", *lines, "```\n"]) if pages else ""


# --- beside the pages


def _add_notebooks(made: Path) -> None:
    """Put the notebooks beside the pages as learners get them, without outputs, to be downloaded."""
    for name, data in course_files():
        place = made / "lessons" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)


if __name__ == "__main__":
    sys.exit(main())
