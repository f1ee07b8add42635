"""What a wrong answer says of its author: which misconception gives it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from udock_lab.grading.evidence import Said
from udock_lab.grading.exercises.m2_5_image_lookup.answers import NAME, Answers, content, nothing
from udock_lab.grading.exercises.m2_5_image_lookup.questions import Question

__all__ = ["belief", "no_function", "stale"]

_NO_ANSWER = "no answer taken for an error: None is the answer."
_NO_TABLE = "a missing database taken for a mistake of the user. Before the first image there is none."
_THREE = "every line taken for three fields. One bad line takes all images away."
_PATTERN = "a name taken for a pattern."
_ERRORS = {
    "NotImplementedError": "the function as it was handed out.",
    "NameError": "a name that is not there when the function is called: misspelt, or made in a cell that is not yours.",
    "UnicodeEncodeError": "text taken for ASCII. Names and paths may hold any letter; the table is UTF-8.",
    "DatabaseError": "a text file taken for an SQL database, because its name ends in .db. It has one line an image.",
    "error": _PATTERN,
    "PatternError": _PATTERN,
    "SystemExit": "the end of the program taken for an answer. exit() ends whoever called; a function returns.",
    "RecursionError": "one call a line. A call costs a frame, and Python has room for about a thousand.",
    "MemoryError": "the whole table taken into memory.",
    "PermissionError": "a table that has to be open for writing. To read it, it need not be.",
}

_PROBED = {
    "exists": "a path checked for existence. Those who enter it find out; the record is there.",
    "bytes": "bytes compared with text, which are never equal: b'demo' == 'demo' is False. encode or decode one.",
    "alone": "only the first line, or the only one, is looked at.",
}


def no_function(error: str) -> str:
    """Return why there was no function to call."""
    if f"name '{NAME}' is not defined" in error:
        return f"another name for the function, or none: it has to be called {NAME}."
    if error.startswith(("SyntaxError", "IndentationError", "TabError")):
        return "a cell that is no Python. None of its lines is run, so the function is not there."
    return ""


def belief(question: Question, said: Said, answers: Answers) -> str:
    """Return which misconception gives this answer to this question; empty where it could be any."""
    if said.how == "raised":
        return _of_error(question, said)
    if said.how == "late":
        return _of_no_end(question)
    if said.how == "ended":
        return "the end of the process taken for an answer: os._exit and exec do not come back. A function returns."
    if nothing(said):
        return _of_nothing(question, answers)
    return _of_value(question, said)


def _of_error(question: Question, said: Said) -> str:
    if said.is_a("NotImplementedError"):
        return _ERRORS["NotImplementedError"]
    if question.path is None and _meant(said):
        return _NO_ANSWER
    if said.is_a("FileNotFoundError"):
        return _NO_TABLE if question.table is None else "another file opened than db, or a path that must exist."
    if question.traps.get("raised") and not said.is_a("UnicodeError"):
        return question.traps["raised"]
    if said.is_a("UnicodeDecodeError"):
        ascii_only = "'ascii'" in said.shown
        what = "the table taken for ASCII: it is UTF-8." if ascii_only else "the whole file taken for text."
        return what if ascii_only else f"{what} A damaged line may hold bytes that are none."
    if said.is_a("ValueError") and "unpack" in said.shown:
        return _THREE
    if said.kind in ("IndexError", "KeyError", "StopIteration") and question.path is None:
        return f"{_NO_ANSWER} {_accident(said)}"
    if said.is_a("IndexError"):
        return _THREE
    if said.is_a("TypeError") and "bytes" in said.shown:
        return "bytes and text mixed: open(db, 'rb') gives bytes, the name is text. encode or decode one of them."
    found = next((words for name, words in _ERRORS.items() if said.is_a(name)), "")
    return found or (_NO_ANSWER if question.path is None else "")


def _meant(said: Said) -> bool:
    """Return whether the learner's own line raises it."""
    return said.code.startswith("raise ") or said.kind == "LookupError"


def _accident(said: Said) -> str:
    return {
        "IndexError": "An empty list has no [0].",
        "KeyError": "A dict that does not have the key raises; .get gives None.",
        "StopIteration": "next raises where nothing comes; next(..., None) gives None.",
    }[said.kind]


def _of_no_end(question: Question) -> str:
    if question.table is None:
        return "a search that waits or begins again without end. What is not there now is answered with None."
    if question.path is None:
        return (
            "a loop that does not see the end of the file: there readline and read give an empty text, again and again,"
            " never None."
        )
    return "a loop without an end."


def _of_nothing(question: Question, answers: Answers) -> str:
    """Return why None may have come where a path was expected."""
    if question.key != "finds":
        return question.traps.get("None", "")
    if not answers.blind():
        return question.traps.get("None", "")
    if question.path and question.path in answers.printed:
        return "printed taken for returned: print shows a text to people; only return hands it to the caller."
    for probe, said in answers.of("probes"):
        if content(said) == probe.path:
            return _PROBED[probe.what]
    if not answers.opened:
        return "another table than the one that is asked for: db says which, at each call, and it was never opened."
    return "a function without a return gives None; so does one whose comparison is never true."


def _of_value(question: Question, said: Said) -> str:
    """Return what was taken for the path, or for None."""
    words = content(said)
    if words is None:
        return (
            "None is the answer where there is no image; False, an empty text and others are not it."
            if (question.path is None)
            else ""
        )
    if isinstance(said.plain, bytes) and words == question.path:
        return "the path as bytes. os.fsdecode makes text of it."
    if not isinstance(said.plain, str) and words == question.path:
        return f"a {said.kind} taken for text. os.fspath makes text of it."
    if words in question.traps:
        return question.traps[words]
    if question.path is not None and words.strip() == question.path.strip():
        return "blanks or the end of the line: a path begins and ends where the | stand."
    if "\ufffd" in words:
        return "bytes that are no text replaced (errors='replace' puts U+FFFD there): such a path leads nowhere."
    return _another_part(question, words)


def _another_part(question: Question, words: str) -> str:
    if question.key == "path":
        return "a path made into another one: tidied, expanded, unquoted, or decoded as something else."
    if question.path is not None and words.count("|") == 2:
        return "the whole line taken for the path. It is the second field."
    if words == question.name:
        return "the first field taken for the path. It is the second one."
    if re.match(r"\d{4}-\d\d-\d\dT", words):
        return "the third field taken for the path. It is the second one."
    return "a path that stands in no line: it is read, not made." if question.key == "finds" else ""


def stale(said: str | None, before: Sequence[str | None]) -> str:
    """Return whether an answer is one of an earlier moment."""
    if said not in before:
        return ""
    return (
        "an answer that was remembered. A path is a promise for this moment only, and a file that is as long and as old"
        " as before may hold something else."
    )
