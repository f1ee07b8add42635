"""The lecturer's run-sheet keeps to the course, and the glossary has the words that the lessons introduce."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from udock_lab.lesson.accepting import accepts
from udock_lab.lesson.explanations import PREDICTIONS, TICKETS
from udock_lab.lesson.outline import COURSE, Entry

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = ROOT / "notebooks"
SHEET = (ROOT / "docs" / "run_sheet.md").read_text()
GLOSSARY = (NOTEBOOKS / "glossary.md").read_text()
START = "00_start_here"
ROW = re.compile(r"^\| (.+?) \| (\d+) \|$", re.MULTILINE)
# Bold in a lesson and no term: emphasis, keys, warnings, the heading of a list's item.
EMPHASIS = {
    "copy",
    "number",
    "old",
    "failed",
    "127",
    "126",
    "esc",
    "shift + enter",
    "i",
    "■",
    "0",
}


def section(title: str) -> str:
    """From a heading of the run-sheet to the next one of its level."""
    level = re.match("#+", title)
    assert level and f"\n{title}\n" in SHEET, title
    return re.split(rf"\n#{{1,{len(level[0])}}} ", SHEET.partition(f"\n{title}\n")[2])[0]


def short(slug: str) -> str:
    """What text calls a lesson: ``m2_1a``."""
    found = re.match(r"m2_\d[ab]?", slug)
    return found[0] if found else slug


def test_the_run_sheet_has_a_page_for_each_lesson_in_order_and_no_other() -> None:
    pages = re.findall(r"^## (\S+) · (.+)$", SHEET, re.MULTILINE)
    assert pages == [(lesson.slug, lesson.title) for lesson in COURSE]


@pytest.mark.parametrize("entry", COURSE, ids=lambda entry: entry.slug)
def test_the_parts_of_a_lesson_take_the_minutes_of_the_outline(entry: Entry) -> None:
    page = section(f"## {entry.slug} · {entry.title}")
    assert sum(int(minutes) for _, minutes in ROW.findall(page)) == entry.minutes
    assert "**Ask:**" in page and "**Expect" in page and "**Wrong prediction:**" in page


@pytest.mark.parametrize("entry", COURSE, ids=lambda entry: entry.slug)
def test_what_the_run_sheet_says_of_predictions_and_tickets_stands_in_the_lesson(entry: Entry) -> None:
    page = section(f"## {entry.slug} · {entry.title}")
    choices = {label for said in PREDICTIONS.get(entry.slug, {}).values() for label in said}
    for choice in re.findall(r"\*\*Wrong prediction:\*\* `([^`]+)`", page):
        assert choice in choices
    for line in re.findall(r"exit ticket:\*\* (.+)", page):
        answers = re.findall(r'"[^"]+"|\d+', line)
        accepted = [answer for answer, _ in TICKETS[entry.slug].values()]
        assert answers and all(any(accepts(one, answer) for one in accepted) for answer in answers)


@pytest.mark.parametrize(("plan", "minutes"), [("### Ninety minutes", 90), ("### A day", 360)])
def test_a_plan_fills_its_time_with_lessons_of_their_true_length(plan: str, minutes: int) -> None:
    rows = {part: int(took) for part, took in ROW.findall(section(plan))}
    lengths = {lesson.slug: lesson.minutes for lesson in COURSE}
    listed = [int(took) for _, took in ROW.findall(section(plan))]
    assert sum(listed) == minutes
    assert all(lengths[part.strip("`")] == took for part, took in rows.items() if part.startswith("`"))
    if minutes > 90:
        assert [part.strip("`") for part in rows if part.startswith("`")] == list(lengths)


def test_start_here_and_the_glossary_link_every_lesson_that_is_there() -> None:
    cells = json.loads((NOTEBOOKS / f"{START}.ipynb").read_text())["cells"]
    start = "\n".join("".join(cell["source"]) for cell in cells)
    for lesson in COURSE:
        there = (NOTEBOOKS / lesson.notebook).exists()
        assert f"| `{short(lesson.slug)}` |" in GLOSSARY
        assert not there or f"[{lesson.title}]({lesson.notebook})" in GLOSSARY
        if lesson.slug != START:
            assert re.search(rf"\| `{short(lesson.slug)}` .*{re.escape(lesson.title)}.*\| {lesson.minutes} \|", start)
            assert not there or f"[{lesson.title}]({lesson.notebook})" in start


def entries() -> dict[str, str]:
    """The glossary's terms, in small letters, and what stands behind each."""
    found: dict[str, str] = {}
    for head, body in re.findall(r"^\*\*(.+?)\*\* · (.+)$", GLOSSARY, re.MULTILINE):
        found |= dict.fromkeys((name.strip().lower() for name in head.split(",")), body)
    return found


def singular(term: str) -> str:
    """Without the manual's section, and without the ending of a plural."""
    return re.sub(r"e?s?$", "", re.sub(r"ies$", "y", re.sub(r"\(\d\)$", "", term)))


def test_each_entry_names_its_lesson_and_no_entry_stands_twice_or_out_of_order() -> None:
    heads = re.findall(r"^\*\*(.+?)\*\* · ", GLOSSARY, re.MULTILINE)
    assert heads == sorted(set(heads), key=lambda head: head.lower().lstrip("/"))
    shorts = {short(lesson.slug) for lesson in COURSE}
    for head, body in entries().items():
        named = re.search(r"\(`(\w+)`(?:; .+)?\)$", body)
        assert named and named[1] in shorts, f"{head}: no lesson at its end"


def test_every_term_that_a_lesson_sets_in_bold_is_in_the_glossary() -> None:
    known = {singular(term) for term in (*entries(), *re.findall(r"\*\*(.+?)\*\*", GLOSSARY.lower()))}
    missing = []
    for lesson in COURSE:
        if not (NOTEBOOKS / lesson.notebook).exists():
            continue
        for cell in json.loads((NOTEBOOKS / lesson.notebook).read_text())["cells"]:
            text = re.sub(r"^(?:- )?\*\*[^*]+\*\*", "", "".join(cell["source"]), flags=re.MULTILINE)
            bold = re.findall(r"\*\*([^*\n]+)\*\*", text) if cell["cell_type"] == "markdown" else []
            for term in (word.lower() for word in bold):
                is_term = term not in EMPHASIS and len(term.split()) <= 3 and not term.endswith((".", ":"))
                if is_term and singular(term) not in known:
                    missing.append(f"{lesson.slug}: {term}")
    assert not missing


CALLS = """
import fcntl, os, resource, sys, time
r, w = os.pipe()
fd = os.open("file", os.O_RDWR | os.O_CREAT)
fcntl.flock(fd, fcntl.LOCK_EX)
os.stat("file"); os.rename("file", "other"); os.chdir("."); print("out", flush=True)
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
try: os.chroot("other")
except OSError: pass
if os.fork() == 0: os._exit(7)
pid = os.fork()
if pid == 0: os.execv("/bin/true", ["true"])
os.waitid(os.P_PID, pid, os.WEXITED); os.waitpid(-1, 0)
pid = os.fork()
if pid == 0: time.sleep(9)
os.kill(pid, 9)
time.sleep(0.01)
"""


def test_strace_shows_the_names_that_the_glossary_says(tmp_path: Path) -> None:
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("needs privilege: strace is installed by whoever may")
    log = tmp_path / "trace"
    done = subprocess.run(
        [strace, "-f", "-o", log, sys.executable, "-c", CALLS], cwd=tmp_path, capture_output=True, text=True
    )
    if "ptrace" in done.stderr.lower():
        pytest.skip("needs privilege: this machine lets nobody trace")
    assert done.returncode == 0, done.stderr
    called = set(re.findall(r"^\d+ +(?:<\.\.\. )?(\w+)", log.read_text(), re.MULTILINE))
    table = GLOSSARY.partition("| strace shows |")[2]
    promised = re.findall(r"\| `(\w+)` \|$", table, re.MULTILINE)
    assert len(promised) == len(re.findall(r"^\| `|^\| `?print", table, re.MULTILINE))
    assert set(promised) <= called, set(promised) - called
