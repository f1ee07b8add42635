"""Words: each own word is explained in one place, replaced words are gone, and docstrings say what a function does."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "vocabulary.md").read_text()
GLOSSARY = (ROOT / "notebooks" / "glossary.md").read_text()
CODE = sorted(
    path for folder in ("udock_lab", "scripts", "exercises/instructor") for path in (ROOT / folder).rglob("*.py")
)
TEXT = {path: path.read_text() for path in CODE}

# Words that are ours, or that mean something of ours here. A new one is added here and explained there.
OWN = """
ask bench bridge brief card caller corpus elsewhere evidence face forker gate guard hint home insist intent judge keeper
launcher layer ledger leftover note outbox panel phase plan recording refusal rehearse reproduction requirement room runner rung
sandbox scenario settle spare step supervisor ticket value verdict
""".split()  # noqa: SIM905 - a list of words is read as one

# Replaced: the pattern, where it is looked for, and what stands there now.
REPLACED = {
    "marks": (r"\bmarks\b(?!\")", "udock_lab/runtime/", "parent steps"),  # stored files may still say "marks"
    "spare child": (r"\bspare child\b|\b_?(?:make|keeps|drop)_spare\b", "udock_lab/", "pre-forked child"),
    "walls": (r"\bwalls?\b(?! clock)", "udock_lab/sandbox/", "isolation"),
    "census": (r"\b[Cc]ensus\b", "udock_lab/", "process table"),
    "stranger": (r"\bstrangers?\b", "udock_lab/", "unprivileged uid, or another process"),
}

# Words that begin a fragment, not a sentence in the imperative; ruff's D401 knows verbs only.
FRAGMENTS = set(
    """
    A After All Also An Another As At Before Behind Below Beside Between Both By Did Does Each Either Else Every
    Everything Few For From Had Half Has Here How If In Inside Into Is It Its Just Many More Most My Neither No
    Nobody None Not Nothing Of Off On Once One Only Or Other Others Our Out Outside Over Same Seconds Several So Some
    Somebody Something Such Than That The Their Them Then There These They This Those Three To Twice Two Under Until
    Upon We What Whatever When Where Whether Which While Who Whoever Whom Whose Why With Within Without You Your
    """.split()  # noqa: SIM905
)


def explained(page: str) -> list[str]:
    """The words that a page explains: bold, at the beginning of a row or a line."""
    heads = re.findall(r"^(?:\| )?\*\*(.+?)\*\*", page, re.MULTILINE)
    return [word.strip().lower() for head in heads for word in head.split(",")]


@pytest.mark.parametrize("word", OWN)
def test_an_own_word_is_explained_once_in_the_vocabulary_or_the_glossary(word: str) -> None:
    found = [name for name in explained(PAGE) + explained(GLOSSARY) if re.match(rf"{word}(?: \d|$)", name)]
    assert len(found) == 1 or (word == "phase" and found == ["phase 1", "phase 2"]), found


def test_every_word_of_the_vocabulary_is_used_in_the_code() -> None:
    everything = "\n".join(TEXT.values()).lower()
    unused = [
        word for word in explained(PAGE) if not re.search(rf"{word.replace(' ', '.')}", everything.replace("_", " "))
    ]
    assert unused == []


@pytest.mark.parametrize(("pattern", "where", "now"), REPLACED.values(), ids=list(REPLACED))
def test_a_replaced_word_is_gone(pattern: str, where: str, now: str) -> None:
    left = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path, text in TEXT.items()
        if str(path.relative_to(ROOT)).startswith(where)
        for number, line in enumerate(text.splitlines(), 1)
        if re.search(pattern, line)
    ]
    assert left == [], f"now: {now}"


def summaries() -> Iterator[tuple[str, str]]:
    """Place and first line of each function's docstring; a property is named after what it is."""
    for path, text in TEXT.items():
        name = str(path.relative_to(ROOT))
        for node in ast.walk(ast.parse(text)):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            said = ast.get_docstring(node)
            if said and not any("property" in ast.unparse(decorator) for decorator in node.decorator_list):
                yield f"{name}:{node.lineno}", said.partition("\n")[0]


def test_the_docstring_of_a_function_begins_with_what_it_does() -> None:
    wrong = [
        f"{place}: {line}"
        for place, line in summaries()
        if not re.fullmatch(r"[A-Z][a-z-]+", line.split()[0].rstrip(".,:;")) or line.split()[0] in FRAGMENTS
    ]
    assert wrong == []
