"""The part of exercises/README.md that is made from the exercises themselves: what each asks, and what goes wrong.

Objectives, minutes and lessons come from the statement, requirements and points from the judges, mistakes and their
evidence from the corpus of answers (tests/exercises/corpus).
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "exercises"))

from harness import Answer, answers, both_halves  # noqa: E402

from udock_lab.model import Requirement  # noqa: E402

README = ROOT / "exercises" / "README.md"
BEGIN, END = "<!-- made by scripts/release-exercises: do not edit below -->", "<!-- end of what is made -->"


def readme(slugs: list[str]) -> str:
    """Return the page with its generated part made anew."""
    text = README.read_text()
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    return f"{before}{BEGIN}\n\n" + "\n".join(_section(slug) for slug in slugs) + f"{END}{after}"


def _section(slug: str) -> str:
    statement = _statement(slug)
    public, hidden = both_halves(slug)
    title = re.findall(r"^# (?:Exercise )?(.*)$", statement, re.MULTILINE)[0]
    objective = statement.split("\n\n")[1]
    minutes = re.search(r"(\d+) minutes", statement)
    lessons = sorted(set(re.findall(r"`(m2_\d[a-z]?_\w+)`", objective)) - {slug})
    lines = [
        f"### {title}",
        "",
        f"`{slug}`: {', '.join(f'`{name}`' for name in public.functions)}. "
        f"{minutes[1] if minutes else '?'} minutes. "
        f"Lessons first: {', '.join(f'`{one}`' for one in lessons) or 'all of them'}.",
        "",
        f"Objective: {re.split(r' About [0-9]+ minutes', objective)[0]}",
        "",
        "| requirement | points | where to read |",
        "|---|---|---|",
        *(_row(one, "") for one in public.requirements),
        *(_row(one, " (hidden)") for one in hidden.requirements),
        "",
        *_mistakes(slug, [*public.requirements, *hidden.requirements]),
    ]
    return "\n".join(lines) + "\n"


def _statement(slug: str) -> str:
    cells = json.loads((ROOT / "exercises" / "source" / slug / f"{slug}.ipynb").read_text())["cells"]
    return "".join(next(cell for cell in cells if cell["cell_type"] == "markdown")["source"])


def _row(one: Requirement, mark: str) -> str:
    return f"| {_cell(one.name)}{mark} | {one.points:g} | {_cell(one.lesson)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _mistakes(slug: str, requirements: list[Requirement]) -> list[str]:
    names = {one.key: one.name for one in requirements}
    wrong = [answer for answer in answers(slug) if not answer.right]
    rows = [f"| {_cell(one.misconception)} | {_first_line(one)} | {_cell(names[one.fails])} |" for one in wrong]
    return [
        f"<details><summary>{len(wrong)} mistakes, each with an answer that makes it</summary>",
        "",
        "| what the learner believes | the answer (`tests/exercises/corpus`) | fails first |",
        "|---|---|---|",
        *rows,
        "",
        "</details>",
        "",
    ]


def _first_line(answer: Answer) -> str:
    said = re.match(r'"""(.*?)(?:"""|\n)', answer.source)
    return f"`{answer.name}`: {_cell(said[1].strip())}" if said else f"`{answer.name}`"
