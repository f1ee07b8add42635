"""M2.5: ``find_image_by_name(db, name) -> str | None``: one record among others, damaged ones too."""

from __future__ import annotations

from udock_lab.grading import evidence as ev
from udock_lab.grading.bench import Bench
from udock_lab.grading.exercise import Story
from udock_lab.grading.exercises.m2_5_image_lookup.requirements import REQUIREMENTS
from udock_lab.grading.imagetables import Question, a_path, all_questions, line
from udock_lab.grading.scenario import apart, job
from udock_lab.grading.tables import a_word
from udock_lab.linux.stepping import PROGRAM_CALLS
from udock_lab.model import SandboxResult, SystemCall

__all__ = ["ASK", "STORIES", "UNTRACED"]


UNTRACED = {"trace": False, "watch": False}  # here the evidence is what comes back

# One question that hangs is told from the others; none is asked after it.
ASK = """
import os, signal
from udock_lab.linux.load import crowd
here, late = os.getcwd(), []
seconds = 4 * crowd(5)
class Late(BaseException):
    pass
def __too_late(*_):
    raise Late
signal.signal(signal.SIGALRM, __too_late)
def __given(name, data):
    with open(f"{here}/{name}", "wb") as file:
        file.write(data)
    return f"{here}/{name}"
def __ask(db, name):
    if late:
        return ["unasked", "not asked after a search that did not end"]
    try:
        signal.setitimer(signal.ITIMER_REAL, seconds)
        found = find_image_by_name(db, name)
        return [type(found).__name__, found if isinstance(found, str) else repr(found)]
    except Late:
        late.append(db)
        return ["late", f"still searching after {seconds:.0f} s"]
    except BaseException as error:
        return ["raised", f"{type(error).__name__}: {error}"]
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
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
said["anew"], stops = [__ask(db, name)], []
from udock_lab.linux.stepping import FILE_CALLS, PROGRAM_CALLS, step_by_step
def ways():
    return [__ask(db, name), __ask(db, "unknown"), __ask(f"{here}/nowhere/images.db", name)]
stepped = step_by_step(ways, stops.append, calls=FILE_CALLS | PROGRAM_CALLS)
said["stops"] = stops if stepped is not None else None
os.replace(__given("other", tables[1]), db)
said["anew"].append(__ask(db, name))
then = os.stat(db)
with open(db, "r+b") as file:      # the same file, as long as before and as old: no stat tells the difference
    file.write(tables[2])
os.utime(db, ns=(then.st_atime_ns, then.st_mtime_ns))
said["anew"].append(__ask(db, name))
os.unlink(db)
said["anew"].append(__ask(db, name))
__given("images.db", tables[0])
said["anew"].append(__ask(db, name))
return said
""",
)
MARK = (
    "/now-comes-the-search"  # a chdir that fails and changes nothing: what strace shows between two of them is theirs
)
# The table and its folder are closed for writing, and the capability to pass over that is given up: where nobody
# watches, whoever opens the table for writing is refused.
ONLY_READS = apart(
    "table, name, mark",
    ASK
    + """
from udock_lab.linux.capabilities import drop_capabilities
def descriptors():
    links = {}
    for fd in os.listdir("/proc/self/fd"):
        try:
            links[fd] = os.readlink(f"/proc/self/fd/{fd}")
        except FileNotFoundError:    # the one that listed them
            pass
    return links
def looks():
    found = os.stat(db)
    return [found.st_ino, found.st_mode, found.st_size, found.st_mtime_ns]
os.mkdir("home")
db = __given("home/images.db", table)
os.chmod(db, 0o444)
os.chmod("home", 0o555)
drop_capabilities()
before, descriptors_before = looks(), descriptors()
try:
    os.chdir(mark)
except OSError:
    pass
said, left = [], []
for one, whose in ((db, name), (db, "unknown"), (f"{here}/nowhere/images.db", name)):
    said.append(__ask(one, whose))
    left += [link for fd, link in descriptors().items() if descriptors_before.get(fd) != link]
try:
    os.chdir(mark)
except OSError:
    pass
os.chmod("home", 0o755)
with open(db, "rb") as file:
    same = file.read() == table and looks() == before
names = sorted(os.listdir("home") + os.listdir(here))
return [said[0], left, same, names]
""",
)


def judge(bench: Bench) -> None:
    """Judge questions about tables of all kinds; a table that changes; then what the search did to the machine."""
    questions = all_questions()
    asked = [
        (f"q{number}", None if one.table is None else b"".join(one.table), one.name)
        for number, one in enumerate(questions)
    ]
    name, paths = a_word(), [a_path() for _ in range(3)]
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
    _only_reads(bench, said.get("stops"))


def _right(bench: Bench, question: Question, answer: object, result: SandboxResult) -> None:
    expected = f"{_short(repr(question.path))} for {question.what}"
    if not isinstance(answer, list):
        seen = ev.raised(result) or result.verdict
        bench.fail(question.key, expected=expected, seen=seen, by="effects")
        return
    kind, words = answer
    wanted = ("NoneType", "None") if question.path is None else ("str", question.path)
    if (kind, words) == wanted:
        return
    seen = {"raised": words, "late": words, "unasked": words, "str": repr(words), "NoneType": "None"}.get(
        kind, f"{words}, which is a {kind}"
    )
    looks_like = _belief(question, kind, words)
    bench.fail(question.key, expected=expected, seen=_short(seen), looks_like=looks_like, by="effects")


def _short(words: str) -> str:
    """Shorten long paths: they tell nothing more than their ends."""
    return words if len(words) <= _LONG else f"{words[:40]}...{words[-40:]} ({len(words)} characters)"


def _belief(question: Question, kind: str, words: str) -> str:
    """Return which misconception gives this answer."""
    if kind == "raised":
        for error, belief in _ERRORS.items():
            if words.startswith(error) and not (error == "FileNotFoundError" and question.table is not None):
                return belief
        return "no answer taken for an error: None is the answer." if question.path is None else ""
    if kind == "late":
        return "a search that waits or begins again without end. What is not there now is answered with None."
    if kind == "bytes":
        return "the path as bytes. os.fsdecode makes text of it."
    if question.path is not None and kind == "str" and words.strip() == question.path.strip():
        return "blanks or the end of the line: a path begins and ends where the | stand."
    if question.key == "path" and words not in question.traps:
        return "a path made into another one: tidied, expanded, unquoted, or decoded as something else."
    return question.traps.get(words, "")


_LONG = 200
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


def _anew(bench: Bench, paths: list[str], value: object) -> None:
    """Judge a database that was replaced, rewritten, removed, made again between two calls."""
    answers = [*paths, None, paths[0]]
    wanted = [["str", path] if path else ["NoneType", "None"] for path in answers]
    if value != wanted:
        words = [str(answer[1]) for answer in value] if isinstance(value, list) else ["no answer"]
        stale = any(
            word == str(before) != str(now) for word, before, now in zip(words[1:], answers, answers[1:], strict=False)
        )
        bench.fail(
            "anew",
            expected=", then ".join(map(str, answers)),
            seen=", then ".join(words),
            looks_like="an answer that was remembered. A path is a promise for this moment only, and a file that is"
            " as long and as old as before may hold something else."
            if stale
            else "",
            by="effects",
        )
    bench.hold("anew", seen="replaced, rewritten, removed, made again: each call said so", by="effects")


def _only_reads(bench: Bench, stops: list[str] | None) -> None:
    """Judge that the search only reads.

    By what strace saw between the marks; where it is refused, by the calls at which a listener stopped, and by what is
    left.
    """
    name, path = a_word(), a_path()
    table = b"".join([line(a_word(), a_path()), b"torn|/images/4\n", line(name, path)])
    result = bench.play(ONLY_READS, values=job(table=table, name=name, mark=MARK))
    value = ev.seen_value(result)
    by = "effects" if result.untraced else "kernel"
    calls = _between_the_marks(result)
    answer, *left = value if isinstance(value, list) else [["raised", ev.raised(result) or result.verdict]]
    trouble = _helper(result, calls) or _writer(calls) or (_stopped(stops or []) if result.untraced else None)
    if not trouble and answer != ["str", path]:
        refused = answer[1].startswith("PermissionError")
        trouble = f"from a table that may only be read: {answer[1]}", _BELIEF_CHANGES if refused else ""
    trouble = trouble or _left(*left)
    if not trouble and not result.untraced and not any("images.db" in call.arguments for call in calls):
        trouble = "the database was not opened", ""
    if trouble:
        expected = "the database is opened to be read, and closed"
        bench.fail("reads", expected=expected, seen=trouble[0], looks_like=trouble[1], by=by)
    if result.untraced and stops is None:
        bench.skip("reads", _NOBODY_SEES)
        return
    opened = next((str(call) for call in calls if call.name == "openat" and "images.db" in call.arguments), "")
    bench.hold("reads", seen=opened or "the same database, no other file, no other process", by=by)


_NOBODY_SEES = (
    "not judged here: this machine permits neither strace nor a seccomp listener, and without them nobody sees"
    " whether a search starts a program or opens a file for writing"
)


def _between_the_marks(result: SandboxResult) -> list[SystemCall]:
    calls = list(result.calls)
    marks = [n for n, call in enumerate(calls) if call.name == "chdir" and MARK in call.arguments]
    first, last = [*marks, len(calls), len(calls)][:2]
    return calls[first + 1 : last]


_BELIEF_HELP = "a shell's tools for a search. They cost two processes, and grep takes the name for a pattern."


def _helper(result: SandboxResult, calls: list[SystemCall]) -> tuple[str, str] | None:
    """Return another program, or another process of Python's, that did the search."""
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
    """Return a call that makes or changes a file, or opens one for that; Python's own compiled modules do not count."""
    for call in calls:
        opens = call.name in ("open", "openat") and any(flag in call.arguments for flag in _CHANGES)
        made = not call.errno or (opens and "images.db" in call.arguments)
        if made and (opens or call.name in _CHANGING) and "__pycache__" not in call.arguments:
            return str(call)[:120], _BELIEF_CHANGES
    return None


def _stopped(stops: list[str]) -> tuple[str, str] | None:
    """Return calls at which a listener of our own (stepping.py) stopped a search."""
    for name in stops:
        if name in PROGRAM_CALLS:
            return f"{name}, another program", _BELIEF_HELP
        if name in (*_CHANGING, "open", "openat", "openat2", "truncate"):
            return f"{name}, for writing", _BELIEF_CHANGES
    return None


def _left(left: list[str], same: bool, names: list[str]) -> tuple[str, str] | None:
    """Return what is there after three searches: found, not found, no database."""
    if not same:
        belief = "a search that mends or marks what it reads. Damaged lines are somebody's."
        return "the database is not what it was: its content, its mode or its time", belief
    if names != ["home", "images.db"]:
        return f"files beside it: {names}", "a search that leaves something behind."
    if left:
        belief = "a file taken for something that closes itself. A descriptor from os.open stays open, a kept file too."
        return f"still open afterwards: {left[0]}", belief
    return None


STORIES = (Story(judge, tuple(requirement.key for requirement in REQUIREMENTS)),)
