"""Nothing is used before it is explained: the names and terms of lessons and exercises, in the order of the course.

Four rules:

- Of each exercise M2.1 to M2.6 at least one right answer is made of names that stand in its lessons or earlier ones, or
  in its own statement, or that every learner of Python knows. ``m2_6`` may be taken right after ``m2_1``: its
  lessons are those alone.
- A function or flag that a lesson's code uses is named by a text or a comment of that lesson or an earlier one, or
  explained in the glossary's table of names.
- A term of the glossary is used in no lesson before the one that the glossary names, and stands in that one; an
  exercise uses only those of the lessons that come before it.
- A word of ours, for which the glossary names no manual page, is printed below no cell before the lesson that explains
  it: nobody can look it up. Titles of lessons do not count.

Ends with 1 and a line for each name that is used too early.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from names_of_the_course import FENCED, MODULES, of_code, of_notebook, of_order

from udock_lab.lesson.outline import COURSE, Entry

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = ROOT / "notebooks"
ALL_EXERCISES = tuple(dict.fromkeys(entry.exercise for entry in COURSE if entry.exercise))
EXERCISES = ALL_EXERCISES[:6]  # the last one puts together what those before it build
# What "some Python" means, beside statements such as if, for, def and with.
BUILT_IN = ("enumerate", "int", "len", "map", "max", "min", "print", "range", "sorted", "str", "sum", "LookupError")
SOME_PYTHON = {"raise ...", *(f"{name}()" for name in BUILT_IN)}
ALONE = {
    "m2_6_exec_failure": re.compile(r"00_|m2_0_|m2_1|m2_6_")
}  # an exercise whose lessons may be taken without others
# Terms that are everyday words as well: where they are used as such cannot be told by their letters.
EVERYDAY = {"wait", "lock", "limit", "window", "path", "record", "session", "rename", "process group"}
TERM = re.compile(r"^\*\*(.+?)\*\* · (.+)$", re.MULTILINE)
OF_LESSON = re.compile(r"\(`(\w+)`(?:; .+)?\)$")
OWN_TERM = re.compile(r"^\*\*(.+?)\*\* · .+\(`(\w+)`\)$", re.MULTILINE)
NAME_ROW = re.compile(r"^\| `([\w.]+)(?:\(.*?\))?` \| .+ \| `(\w+)` \|$", re.MULTILINE)
NAMES_TABLE = "## Names in the code of lessons"
SOLUTION = re.compile(r"### BEGIN SOLUTION")


def short(slug: str) -> str:
    """Return what texts call a lesson: ``m2_1a``; a page has its whole slug."""
    found = re.match(r"m\d+_\d[a-z]?(?=_)", slug)
    return found[0] if found else slug


# --- the first rule: what a right answer needs


def lessons_before(exercise: str) -> list[Entry]:
    """Return the lessons that a learner has taken before this exercise."""
    last = max(place for place, entry in enumerate(COURSE) if entry.exercise == exercise)
    only = ALONE.get(exercise, re.compile(""))
    return [entry for entry in COURSE[: last + 1] if only.match(entry.slug)]


def right_answers(exercise: str) -> Iterator[tuple[str, str]]:
    """Yield (name, code) of the solution and of every right answer in the corpus."""
    cells = json.loads((ROOT / "exercises/source" / exercise / f"{exercise}.ipynb").read_text())["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    yield "the solution", "\n".join(source for source in code if SOLUTION.search(source))
    for path in sorted((ROOT / "tests/exercises/corpus" / exercise).glob("right_*.py")):
        yield path.name, path.read_text()


def not_taught(exercise: str, answers: Iterable[tuple[str, str]]) -> tuple[str, list[str]]:
    """Return the right answer that needs fewest names which nothing before explains, and those names."""
    known = SOME_PYTHON | of_notebook(ROOT / "exercises/release" / exercise / f"{exercise}.ipynb")
    for entry in lessons_before(exercise):
        known |= of_notebook(NOTEBOOKS / entry.notebook)
    found = [(name, sorted(of_code(code) - known)) for name, code in answers]
    return min(found, key=lambda answer: len(answer[1]))


# --- the second rule: functions and flags


def used_unexplained(slug: str, table: dict[str, str], said_before: set[str]) -> list[str]:
    """Return the functions and flags in a lesson's code that nothing up to it names.

    Its words are added to ``said_before``.
    """
    used: set[str] = set()
    for cell in json.loads((NOTEBOOKS / f"{slug}.ipynb").read_text())["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            said_before |= set(re.findall(r"\w+", source))
        else:
            used |= of_code(source) | of_order(source)
            said_before |= set(re.findall(r"\w+", " ".join(re.findall(r"#(.*)", source))))
    names = {name for name in used if "." in name and name.split(".")[0] in MODULES}
    here = short(slug)
    order = [short(entry.slug) for entry in COURSE]
    in_table = {name for name, lesson in table.items() if order.index(lesson) <= order.index(here)}
    return sorted(name for name in names if name.split(".")[-1] not in said_before and name not in in_table)


def names_table(glossary: str) -> dict[str, str]:
    """Return the glossary's names of functions and flags, each with the lesson that uses it first."""
    return dict(NAME_ROW.findall(glossary.partition(NAMES_TABLE)[2].partition("\n## ")[0]))


# --- the third rule: terms


def terms(glossary: str) -> dict[str, str]:
    """Return the glossary's terms, each with the lesson that introduces it."""
    found: dict[str, str] = {}
    for head, body in TERM.findall(glossary):
        lesson = OF_LESSON.search(body)
        found |= {name.strip(): lesson[1] if lesson else "" for name in head.split(",")}
    return found


def foreign_terms(text: str, known: dict[str, str], lessons: set[str]) -> list[str]:
    """Return the terms in an exercise's text that none of its lessons introduces."""
    return [
        term
        for term, lesson in known.items()
        if lesson not in lessons and term.lower() not in EVERYDAY and uses(text, term, known)
    ]


def text_of_exercise(exercise: str) -> str:
    """Return what an exercise says, without code."""
    cells = json.loads((ROOT / "exercises/release" / exercise / f"{exercise}.ipynb").read_text())["cells"]
    return FENCED.sub("", "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"))


def text_of(entry: Entry) -> str:
    """Return a lesson's text without code and addresses.

    Of a page not the tables either: they list what is to come.
    """
    cells = json.loads((NOTEBOOKS / entry.notebook).read_text())["cells"]
    text = "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    text = re.sub(r"\]\([^)]*\)", "]", FENCED.sub("", text))
    return re.sub(r"^\|.*$", "", text, flags=re.MULTILINE) if entry.kind == "page" else text


def uses(text: str, term: str, others: Iterable[str]) -> bool:
    """Return whether a text uses a term, on its own and not as a part of a longer one, before its outlook."""
    text = text.partition("## Go further")[0].lower()
    for longer in (other.lower() for other in others if term.lower() in other.lower() and other != term):
        text = text.replace(longer, "")
    return re.search(rf"(?<![\w/\-]){re.escape(term.lower())}(?:e?s)?(?![\w\-])", text) is not None


def term_problems(glossary: str, texts: dict[str, str]) -> list[str]:
    """Return one sentence for each term that is used before its lesson, or does not stand in it."""
    order, found, known = list(texts), [], terms(glossary)
    for term, lesson in known.items():
        if lesson not in texts:
            found.append(f"the glossary's {term} names no lesson")
            continue
        early = [name for name in order[: order.index(lesson)] if uses(texts[name], term, known)]
        if early and term.lower() not in EVERYDAY:
            found.append(f"{term}: the glossary says that {lesson} introduces it, and {early[0]} uses it")
        if not re.search(re.escape(re.sub(r"y$", "", term)), texts[lesson], re.IGNORECASE):
            found.append(f"{term}: the glossary says that {lesson} introduces it, and its text does not name it")
    return found


# --- the fourth rule: words of ours in what cells print


def own_terms(glossary: str) -> dict[str, str]:
    """Return the terms that no manual page has, each with the lesson that introduces it."""
    return {name: lesson for head, lesson in OWN_TERM.findall(glossary) for name in map(str.strip, head.split(","))}


def printed_early(own: dict[str, str], printed: dict[str, str]) -> list[str]:
    """Return one sentence for each own word that stands below a cell of a lesson before the one that explains it."""
    order = list(printed)
    return [
        f"{term}: {lesson} explains it, and {name} prints it"
        for term, lesson in own.items()
        for name in order[: order.index(lesson) if lesson in order else 0]
        if uses(printed[name], term, own)
    ]


def printed_in(entry: Entry) -> str:
    """Return what the cells of a lesson print, without the titles of the course."""
    cells = json.loads((NOTEBOOKS / entry.notebook).read_text())["cells"]
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    shown = [output.get("text") or output.get("data", {}).get("text/plain", "") for output in outputs]
    text = "\n".join("".join(lines) for lines in shown)
    for titled in COURSE:
        text = text.replace(titled.title, "")
    return text


def problems() -> list[str]:
    """Return all that is used before it is explained."""
    found = []
    for exercise in EXERCISES:
        answer, missing = not_taught(exercise, right_answers(exercise))
        if missing:
            found.append(f"{exercise}: {answer} needs the least, and no lesson before shows: {', '.join(missing)}")
    glossary = (NOTEBOOKS / "glossary.md").read_text()
    for exercise in ALL_EXERCISES:
        lessons = {short(entry.slug) for entry in lessons_before(exercise)}
        for term in foreign_terms(text_of_exercise(exercise), terms(glossary), lessons):
            found.append(f"{exercise}: its text uses {term}, which none of its lessons introduces")
    table, said = names_table(glossary), set[str]()
    for entry in COURSE:
        early = used_unexplained(entry.slug, table, said)
        found += [f"{entry.slug}: its code uses {name}, which no text, comment or table explains" for name in early]
        said |= {name.split(".")[-1] for name in early}
    found += printed_early(own_terms(glossary), {short(entry.slug): printed_in(entry) for entry in COURSE})
    return found + term_problems(glossary, {short(entry.slug): text_of(entry) for entry in COURSE})


def main() -> int:
    """Print what is used too early; 1 if anything is."""
    wrong = problems()
    print("\n".join(wrong) or "nothing is used before it is explained")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
