"""M2.5: ``find_image_by_name(db, name) -> str | None``: one record among others, damaged ones too."""

from __future__ import annotations

import random
import string
from typing import NamedTuple

from udock_lab.grading import evidence as ev
from udock_lab.grading.exercise import Bench, Exercise
from udock_lab.grading.scenario import apart, job
from udock_lab.model import Requirement, SandboxResult, SystemCall

__all__ = ["ASK", "EXERCISE", "UNTRACED", "a_path", "a_word"]

REQUIREMENTS = (
    Requirement(
        key="finds",
        name="the path of the image with that name, as text",
        points=1,
        lesson='m2_5_image_lookup, "Situation"',
        hints=(
            "A line has three fields. Which one is compared, and which one is the answer?",
            'line.split("|") gives the fields; the line ends with a newline, which is part of the last one.',
        ),
    ),
    Requirement(
        key="none",
        name="None for an image that is not there, and for a database that is not there",
        points=1,
        lesson='m2_5_image_lookup, "The same in mdock: five answers"',
        hints=(
            "Before the first image is made there is no images.db. Is that a mistake of somebody's?",
            "except FileNotFoundError: return None",
        ),
    ),
    Requirement(
        key="exact",
        name="the whole name in exact case: no prefix, no part of it, no pattern, no blanks around it",
        points=1,
        lesson='m2_5_image_lookup, "Predict"',
        hints=(
            "Does demo-old begin with demo? Does your test see a difference?",
            "fields[0] == name, and nothing else: no startswith, no in, no lower, no strip, no regular expression.",
        ),
    ),
    Requirement(
        key="path",
        name="the path comes back as it stands in the line, with every blank and every letter",
        points=1,
        lesson='m2_5_image_lookup, "Situation"',
        hints=(
            "A folder's name may begin or end with a blank. What takes blanks away in your function?",
            "The table is UTF-8. Paths may hold more than ASCII.",
        ),
    ),
    Requirement(
        key="damaged",
        name="lines that are no record are passed over, whatever they hold, and only a newline ends a line",
        points=1,
        lesson='m2_5_image_lookup, "Action"',
        hints=(
            "What does your function do at a line with two fields, four, none? And if it begins with the name?",
            "Bytes that are no text raise UnicodeDecodeError. Compare bytes, or decode with errors='surrogateescape'.",
            'Text mode and splitlines take more than \\n for an end of line. open(db, "rb") does not.',
        ),
    ),
    Requirement(
        key="first",
        name="of two records with the same name the first one counts",
        points=1,
        lesson='m2_5_image_lookup, "Go further"',
        hints=("When may your loop stop? What does a dict keep of two equal keys?",),
    ),
    Requirement(
        key="anew",
        name="each call sees the database as it is at that moment",
        points=1,
        lesson='m2_5_image_lookup, "Between lookup and entry"',
        hints=("What does your function remember from one call to the next?",),
    ),
    Requirement(
        key="reads",
        name="it reads the database itself: no other program, nothing opened for writing, nothing left open",
        points=1,
        lesson='m2_5_image_lookup, "Between lookup and entry"',
        hints=(
            "A lookup changes nothing, and needs no help: grep is a process of its own.",
            "with open(db, 'rb') as file: closes it on each way out.",
        ),
    ),
)

UNTRACED = {"trace": False, "watch": False}  # here the evidence is what comes back

ASK = """
import os
here = os.getcwd()
def __given(name, data):
    with open(f"{here}/{name}", "wb") as file:
        file.write(data)
    return f"{here}/{name}"
def __ask(db, name):
    try:
        found = find_image_by_name(db, name)
        return [type(found).__name__, found if isinstance(found, str) else repr(found)]
    except BaseException as error:
        return ["raised", f"{type(error).__name__}: {error}"]
"""
ANSWERS = apart(
    "questions, changing",
    ASK
    + """
said = {}
for question, data, name in questions:
    db = f"{here}/{question}/images.db" if data is None else __given(question, data)
    said[question] = __ask(db, name)
name, *tables = changing
db = __given("images.db", tables[0])
said["anew"], said["stops"] = [__ask(db, name)], []
from udock_lab.linux.stepping import step_by_step
step_by_step(lambda: find_image_by_name(db, name), said["stops"].append)
os.replace(__given("other", tables[1]), db)
said["anew"].append(__ask(db, name))
os.unlink(db)
said["anew"].append(__ask(db, name))
return said
""",
)
MARK = "/now-comes-the-search"  # a chdir that fails and changes nothing: what strace shows from there on is theirs
ONLY_READS = apart(
    "table, name, mark",
    ASK
    + """
os.mkdir("home")
db = __given("home/images.db", table)
try:
    os.chdir(mark)
except OSError:
    pass
said = __ask(db, name)
open_now = [os.path.realpath(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd")]
with open(db, "rb") as file:
    same = file.read() == table
names = sorted(os.listdir("home") + os.listdir(here))
return [said, db in open_now, same, names]
""",
)


class Question(NamedTuple):
    """One search. ``table`` None: there is no database. ``path`` is the right answer."""

    key: str
    what: str
    table: list[bytes] | None
    name: str
    path: str | None
    traps: dict[str, str]  # a wrong answer to the belief behind it


def a_word(length: int = 6) -> str:
    """A name that nobody can know beforehand."""
    return "".join(random.choices(string.ascii_lowercase, k=length))


def a_path() -> str:
    """A root file system's path, likewise."""
    return f"/images/{a_word(8)}/rootfs"


def line(name: str, path: str) -> bytes:
    """A record."""
    return f"{name}|{path}|2026-01-0{random.randrange(1, 9)}T10:{random.randrange(10, 59)}:00\n".encode()


def judge(bench: Bench) -> None:
    """Questions about tables of all kinds; a table that changes; then what the search did to the machine."""
    questions = [*_plain(), *_near_misses(), *_odd_paths(), *_nothing_there(), *_damaged(), *_twice()]
    asked = [
        (f"q{number}", None if one.table is None else b"".join(one.table), one.name)
        for number, one in enumerate(questions)
    ]
    name, paths = a_word(), [a_path(), a_path()]
    changing = [name, *(line(name, path) for path in paths)]
    result = bench.play(ANSWERS, values=job(questions=asked, changing=changing), **UNTRACED)
    value = ev.seen_value(result)
    said = value if isinstance(value, dict) else {}
    for key in ("finds", "none", "exact", "path", "damaged", "first"):
        mine = [(one, said.get(asked[at][0])) for at, one in enumerate(questions) if one.key == key]
        for one, answer in mine:
            _right(bench, one, answer, result)
        bench.hold(key, seen=f"{len(mine)} of {len(mine)} searches right", by="effects")
    _anew(bench, paths, said.get("anew"))
    _only_reads(bench, said.get("stops", []))


def _right(bench: Bench, question: Question, answer: object, result: SandboxResult) -> None:
    expected = f"{question.path!r} for {question.what}"
    if not isinstance(answer, list):
        seen = ev.raised(result) or result.verdict
        bench.fail(question.key, expected=expected, seen=seen, by="effects")
        return
    kind, words = answer
    wanted = ("NoneType", "None") if question.path is None else ("str", question.path)
    if (kind, words) == wanted:
        return
    seen = {"raised": words, "str": repr(words), "NoneType": "None"}.get(kind, f"{words}, which is a {kind}")
    looks_like = _belief(question, kind, words)
    bench.fail(question.key, expected=expected, seen=seen, looks_like=looks_like, by="effects")


def _belief(question: Question, kind: str, words: str) -> str:
    """Which misconception gives this answer?"""
    if kind == "raised":
        for error, belief in _ERRORS.items():
            if words.startswith(error) and not (error == "FileNotFoundError" and question.table is not None):
                return belief
        return "no answer taken for an error: None is the answer." if question.path is None else ""
    if kind == "bytes":
        return "the path as bytes. os.fsdecode makes text of it."
    if question.path is not None and kind == "str" and words.strip() == question.path.strip():
        return "blanks or the end of the line: a path begins and ends where the | stand."
    if question.key == "path" and words not in question.traps:
        return "a path made tidier than it stands there, or decoded as something else."
    return question.traps.get(words, "")


_ERRORS = {
    "NotImplementedError": "the function as it was handed out.",
    "FileNotFoundError": "a missing database taken for a mistake of the user. Before the first image there is none.",
    "UnicodeDecodeError": "the whole file taken for text. A damaged line may hold bytes that are none.",
    "ValueError": "every line taken for three fields. One bad line takes all images away.",
    "IndexError": "every line taken for three fields. One bad line takes all images away.",
    "re.error": "a name taken for a pattern.",
    "error": "a name taken for a pattern.",
    "PatternError": "a name taken for a pattern.",
}
_PREFIX = "a prefix taken for a match: compare the whole field."
_CASE = "case ignored. D and d are two different letters in Linux names."
_PART = "a part of the name, or of the line, taken for a match: compare the whole field."
_PATTERN = "a name taken for a pattern, in which a dot stands for any letter."
_BLANK = "blanks around the name taken away; they make it another name."
_GIVES_UP = "the search ended too early: at a bad line, or at another image's. Pass them over."
_NO_RECORD = "a line taken for a record that is none: it has not three fields, or an empty one."
_LINE_END = "a line broken where there is no newline: text mode and splitlines see more ends of lines."


def _plain() -> list[Question]:
    """Three images, one after the other; the last line lacks its newline."""
    names, paths = [a_word() for _ in range(3)], [a_path() for _ in range(3)]
    table = [line(name, path) for name, path in zip(names, paths, strict=True)]
    table[-1] = table[-1].removesuffix(b"\n")
    others = dict.fromkeys(paths, "another image's path: the fields of one line belong together.")
    nothing = [
        "a function without a return gives None.",
        _GIVES_UP,
        f"{_GIVES_UP} Or does a last line need its newline?",
    ]
    return [
        Question("finds", f"image {at + 1} of 3, {name}", table, name, path, others | {"None": nothing[at]})
        for at, (name, path) in enumerate(zip(names, paths, strict=True))
    ]


def _near_misses() -> list[Question]:
    """Names that are almost it, above the right one; then without it."""
    name = a_word()
    near = {
        f"my-{name}": _PART,
        f"{name[:2]}-{name}-{name[2:]}": _PART,
        f"{name}-old": _PREFIX,
        name[:-1]: _PREFIX,
        name.capitalize(): _CASE,
        name.upper(): _CASE,
        f" {name}": _BLANK,
        f"{name} ": _BLANK,
    }
    paths = {other: a_path() for other in near}
    traps = {paths[other]: belief for other, belief in near.items()}
    decoys = [line(a_word(), f"/images/{name}"), *(line(other, path) for other, path in paths.items())]
    traps[f"/images/{name}"] = _PART
    path, dotted = a_path(), f"{name[:2]}.{name[3:]}"
    pattern_path = a_path()
    return [
        Question("exact", f"{name}, below 9 names like it", [*decoys, line(name, path)], name, path, traps),
        Question("exact", f"{name}, with 9 names like it", decoys, name, None, traps),
        Question("exact", dotted, [line(name, pattern_path)], dotted, None, {pattern_path: _PATTERN}),
        Question("exact", "a+(b", [line("aab", pattern_path), line("a+(b", path)], "a+(b", path, {}),
        Question("exact", "the empty name", [line(name, path)], "", None, {path: _PREFIX}),
    ]


def _odd_paths() -> list[Question]:
    """Blanks, other letters, a field that looks like the name."""
    name, word = a_word(), a_word()
    odd = [
        f"/images/{word} ",
        f" relative {word}",
        f"/home/jörg {word}/größe",
        f"/images/{word}/\t",
        f"/{name}/../{word}",
    ]
    letters = "the bytes of one letter taken for several letters. The table is UTF-8."
    return [
        Question(
            "path",
            f"image {name}",
            [line(a_word(), a_path()), line(name, path)],
            name,
            path,
            {_mojibake(path): letters},
        )
        for path in odd
    ]


def _mojibake(text: str) -> str:
    return text.encode().decode("latin-1")


def _nothing_there() -> list[Question]:
    name = a_word()
    empty = {"": "an empty text is an answer, too: the empty path. None says that there is none."}
    return [
        Question("none", "a name that is in no line", [line(a_word(), a_path())], name, None, empty),
        Question("none", "an empty database", [], name, None, empty),
        Question("none", "a database that is not there", None, name, None, empty),
    ]


def _damaged() -> list[Question]:
    """The wanted record below lines that are none; several begin with its name."""
    name, path, traps = a_word(), a_path(), [a_path() for _ in range(8)]
    key = name.encode()
    damage = [
        [b"torn|/images/4\n", b"\n", b"  \n", b"no separator at all\n"],
        [b"\xff\xfe no text\n", b"\x00\x00\x80|\xc3|\xff\n"],
        [b"||\n", b"|||\n", b"|%b|2026-01-01T00:00:00\n" % key, b"a|b|c|d|e\n"],
        [b"%b|%b\n" % (key, traps[0].encode()), b"%b\n" % key, b"%b|\n" % key],
        [b"%b|%b|2026-01-01T00:00:00|more\n" % (key, traps[1].encode())],
        [b"%b|%b|\n" % (key, traps[2].encode()), b"%b||2026-01-01T00:00:00\n" % key],
        [b"|%b|%b|2026-01-01T00:00:00\n" % (key, traps[3].encode())],
        [b"x\r%b|%b|2026-01-01T00:00:00\n" % (key, traps[4].encode())],
        [b"x\x0c%b|%b|2026-01-01T00:00:00\n" % (key, traps[5].encode())],
        [f"x\u2028{name}|{traps[6]}|2026-01-01T00:00:00\n".encode()],
    ]
    what = ("too few fields", "bytes that are no text", "empty fields", "two fields", "four fields", "an empty field",
            "a | too early", "a carriage return", "a form feed", "a line separator")  # fmt: skip
    beliefs = (
        dict.fromkeys(traps[:4], _NO_RECORD) | dict.fromkeys(traps[4:], _LINE_END) | {"None": _GIVES_UP, "": _NO_RECORD}
    )
    one_by_one = [
        Question("damaged", f"{name}, below lines with {words}", [*lines, line(name, path)], name, path, beliefs)
        for words, lines in zip(what, damage, strict=True)
    ]
    everything = [one for lines in damage for one in lines]
    return [*one_by_one, Question("damaged", f"{name}, in no record", everything, name, None, beliefs)]


def _twice() -> list[Question]:
    name, paths = a_word(), [a_path() for _ in range(3)]
    table = [line(a_word(), a_path()), *(line(name, path) for path in paths), line(a_word(), a_path())]
    later = "a later record won, as in a dict that is filled line by line."
    return [Question("first", f"the first of three {name}", table, name, paths[0], dict.fromkeys(paths[1:], later))]


def _anew(bench: Bench, paths: list[str], value: object) -> None:
    """The database was replaced, then removed, between two calls."""
    wanted = [["str", paths[0]], ["str", paths[1]], ["NoneType", "None"]]
    if value != wanted:
        words = [str(answer[1]) for answer in value] if isinstance(value, list) else ["no answer"]
        stale = words[1:2] == paths[:1] or words[2:3] == paths[1:]
        bench.fail(
            "anew",
            expected=f"{paths[0]}, then {paths[1]}, then None",
            seen=", then ".join(words),
            looks_like="an answer that was remembered. A path is a promise for this moment only." if stale else "",
            by="effects",
        )
    bench.hold("anew", seen="the database was replaced, then removed, and each call said so", by="effects")


def _only_reads(bench: Bench, stops: list[str]) -> None:
    """What strace saw from the mark on; where it is refused, what is there afterwards."""
    name, path = a_word(), a_path()
    table = b"".join([line(a_word(), a_path()), b"torn|/images/4\n", line(name, path)])
    result = bench.play(ONLY_READS, values=job(table=table, name=name, mark=MARK))
    value = ev.seen_value(result)
    by = "effects" if result.untraced else "kernel"
    expected = "the database is opened to be read, and closed"
    if not isinstance(value, list) or value[0] != ["str", path]:
        seen = str(value[0][1]) if isinstance(value, list) else ev.raised(result) or result.verdict
        bench.fail("reads", expected=f"{path!r}", seen=seen, by=by)
        return
    _, still_open, same, names = value
    calls = _after_the_mark(result)
    trouble = _helper(result, calls) or _writer(calls) or _traces(same, names, stops)
    if not trouble and still_open:
        trouble = ("the database is still open", "a file closes itself: a descriptor from os.open stays open.")
    if not trouble and not result.untraced and not any("/images.db" in call.arguments for call in calls):
        trouble = ("the database was not opened", "")
    if trouble:
        bench.fail("reads", expected=expected, seen=trouble[0], looks_like=trouble[1], by=by)
    opened = next((str(call) for call in calls if call.name == "openat" and "/images.db" in call.arguments), "")
    bench.hold("reads", seen=opened or "the same database, no other file, no other process", by=by)


def _after_the_mark(result: SandboxResult) -> list[SystemCall]:
    calls = list(result.calls)
    at = next((n for n, call in enumerate(calls) if call.name == "chdir" and MARK in call.arguments), len(calls))
    return calls[at + 1 :]


_BELIEF_HELP = "a shell's tools for a search. They cost two processes, and grep takes the name for a pattern."


def _helper(result: SandboxResult, calls: list[SystemCall]) -> tuple[str, str] | None:
    """Another program, or another process of Python's."""
    execs = [call for call in calls if call.name in ("execve", "execveat") and not call.errno]
    if execs:
        return f"{execs[0].name}({execs[0].arguments[:60]}", _BELIEF_HELP
    if result.children or ev.library_calls(result):
        return "a second process", _BELIEF_HELP
    return None


_BELIEF_CHANGES = "a search that changes something. Whoever may only read the database could not search."
_CHANGES = ("O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC", "O_APPEND")
_CHANGING = (
    "rename", "renameat", "renameat2", "unlink", "unlinkat", "link", "linkat", "symlink", "symlinkat", "mkdir",
    "mkdirat", "ftruncate", "creat",
)  # fmt: skip


def _writer(calls: list[SystemCall]) -> tuple[str, str] | None:
    """A call that makes or changes a file, or opens one for that."""
    for call in calls:
        opens = call.name in ("open", "openat") and any(flag in call.arguments for flag in _CHANGES)
        if not call.errno and (opens or call.name in _CHANGING):
            return str(call)[:120], _BELIEF_CHANGES
    return None


def _traces(same: object, names: object, stops: list[str]) -> tuple[str, str] | None:
    """What is there afterwards; and calls at which a listener of our own (stepping.py) stopped a search."""
    if not same:
        return (
            "the database is another one now",
            "a search that mends what it reads. Damaged lines are somebody's.",
        )
    if names != ["home", "images.db"]:
        return f"files beside it: {names}", "a search that leaves something behind."
    changing = [name for name in stops if name in (*_CHANGING, "open", "openat", "truncate")]
    if changing:
        return f"{changing[0]}, for writing", _BELIEF_CHANGES
    return None


EXERCISE = Exercise(
    slug="m2_5_image_lookup",
    title="find_image_by_name(db, name): one record among others",
    functions=("find_image_by_name",),
    requirements=REQUIREMENTS,
    judge=judge,
)
