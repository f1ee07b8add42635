"""What an answer to M2.7 looks like that does not hold: which belief is behind what was seen."""

from __future__ import annotations

import errno
import re
from typing import Any

from udock_lab.grading import evidence as ev
from udock_lab.grading.exercises.m2_7_mdock_run.played import Played, Record, Wanted, info, words
from udock_lab.grading.tables import misspelt, mistimed

__all__ = [
    "ANY_CHILD",
    "OPEN_AT_THE_END",
    "UNRECORDED",
    "Complaint",
    "ids",
    "info",
    "is_lookup_error",
    "misread",
    "not_begun",
    "not_inside",
    "not_missed",
    "not_whole",
    "phase_one",
    "phase_two",
    "ran_on",
    "refused_chroot",
    "same_line",
    "says_eperm",
]

Complaint = tuple[str, str, str]  # expected, seen, what it looks like
ANY_CHILD = "os.wait() and waitpid(-1) take the end of any child; yours is the one whose pid fork returned."
UNRECORDED = "the process that calls run was killed before it had written the record, and the program started."
OPEN_AT_THE_END = (
    "That is a gate that opens by itself: when the parent is gone, the child's read returns too, with b'' (end of "
    "file). Only a word that the parent has written may let it through."
)
_ANOTHER = "another image was found: the name counts whole, with its case, in a line of three fields, the first one."
_OUTSIDE = "chroot changes where paths begin, not where the process stands."
_NAMES = "a name that is not defined. Python finds that out when it comes to that line, not before."
_BY_PID = (
    "the record was looked for by its pid. Old records, and those of other machines, may hold the same pid: yours is "
    "the one whose whole first field is your id."
)
_RULE = "the rule is highest in the file + 1, among lines of seven fields, compared as numbers: c10 comes after c9."
_SHARED = "a rewrite that ran beside another one, without a lock of its own file: one of the two was lost."
_TWO_STEPS = "reading the highest id and writing the record are two steps; nothing keeps others out between."


# -- an image that is not there ---------------------------------------------------------------------------


def is_lookup_error(said: ev.Said | None, text: str) -> bool:
    """Return whether it is a LookupError of that text; KeyError, which is one, shows its text in quotes."""
    if said is None or said.returned or not said.is_a("LookupError"):
        return False
    return said.shown in (text, repr(text)) if said.is_a("KeyError") else said.shown == text


def not_missed(said: ev.Said | None, copy: ev.Said | None, ran: str, name: str, text: str) -> str:
    """Say why a run with an image that is not there did not raise what it should."""
    if said is None:
        return "something in run waits, or goes round, for ever. A file that is opened anew begins at its first line."
    if said.returned:
        if said.is_a("BaseException") or (copy is not None and "LookupError" in copy.shown):
            return "an error that is returned is a value like any other; raise hands it to the caller."
        if ran:
            return _ANOTHER
        if copy is not None or (said.is_a("ExitInfo") and said.plain != [127, None, None]):
            return "looked up in the child. What is raised there, the parent does not hear of: look first, then fork."
        return "an image that is not there is the caller's mistake, and the caller has to hear of it."
    if said.is_a("LookupError"):
        if repr(name) in said.shown and f"'{name}'" not in said.shown:
            return f"repr(NAME) for 'NAME': for this name Python chooses other quotes, {name!r}."
        return f"the text differs: it should read {text!r}."
    if said.is_a("UnicodeDecodeError"):
        return "a table taken for text. A line that is no record may hold any bytes: open it with 'rb'."
    if said.is_a("NameError"):
        return _NAMES
    if said.is_a("ValueError") and "unpack" in said.shown:
        return "every line taken for a record of three fields. A line with another number of fields is none."
    return "another kind of error. Whoever calls run with a wrong name catches LookupError."


# -- the program ------------------------------------------------------------------------------------------


def _info(said: ev.Said) -> list[Any]:
    return said.plain if isinstance(said.plain, list) else []


def says_eperm(said: ev.Said | None) -> bool:
    """Return whether a run came to nothing because chroot was refused."""
    return said is not None and (said.errno == errno.EPERM or _info(said)[2:] == [errno.EPERM])


def refused_chroot(story: Played) -> bool:
    """Return whether the held program did not begin because chroot is refused here, which this answer does not bear."""
    said = ev.heard((story.value.get("outcome") or [None, None])[1])
    return not story.value.get("pid") and says_eperm(said)


def not_begun(said: ev.Said | None, copy: ev.Said | None) -> str:
    """Say why no program began."""
    if copy is not None:
        return ran_on(copy)
    if said is None:
        return "who waits for whom? A parent that waits for the end before it opens the gate waits for ever."
    if said.is_a("UnicodeDecodeError"):
        return "a table taken for text. A line that is no record may hold any bytes: open it with 'rb'."
    if said.is_a("NameError"):
        return _NAMES
    if said.is_a("ValueError") and "unpack" in said.shown:
        return "every line taken for a record. Not every line has as many fields."
    if said.plain == [125, None, errno.ENOENT]:
        return "what was taken for the path is none: a line with another number of fields is no record."
    if said.is_a("FileNotFoundError") and "/home" in said.shown:
        return "the caller itself went inside, where its own files are not. chroot belongs into the child."
    return ""


def ran_on(copy: ev.Said) -> str:
    """Say how a second process came out of run."""
    text = "the child ran past its branch, into your caller. Whatever goes wrong in it, it ends with os._exit"
    if copy.is_a("SystemExit"):
        return f"{text}: exit and sys.exit raise SystemExit, which goes up through your caller like any error."
    return f"{text}, in a finally for instance."


def not_inside(kernel: dict[str, Any]) -> str:
    """Say where the program ran instead."""
    if "another image" in (kernel["root"], kernel["cwd"]):
        return _ANOTHER
    if kernel["root"] == "the image":
        return _OUTSIDE
    return "the program was started without chroot, or before it."


def phase_one(story: Played, fields: Record) -> tuple[str, str] | None:
    """Say what is wrong with the record while the program runs: what was seen (empty: the line), what it looks like."""
    pid, table = story.value["pid"], story.value["while it runs"]
    if not fields:
        if len(table) < len(story.drawn.history):
            return "lines that were there are gone", "the table was opened with 'w', which empties it."
        return "the program ran and there was no new line", (
            "the child was not held back, or the record was still in the buffer of an open file: fork lets both go on, "
            "and exec does not wait for your record."
        )
    if len(fields) != 7 or fields[1:4] + fields[5:] != [pid, story.drawn.image, "running", "", ""]:
        if fields[1:2] == [str(story.value["runner"])]:
            return "", "the parent's own pid in the record."
        return "", misspelt("|".join(fields).encode("latin-1") + b"\n")
    if not table.endswith("\n"):
        return "", "the newline at the end is missing: the next record would go on in this line."
    if not re.fullmatch(r"c[0-9]+", fields[0]):
        return "", "an id is c and a number, with nothing around."
    if not story.drawn.is_now(fields[4]):
        return f"{'|'.join(fields)}, at {story.drawn.now()}", mistimed(fields[4])
    return None


# -- how it ended -----------------------------------------------------------------------------------------


def misread(said: ev.Said | None, wanted: Wanted) -> str:
    """Say which number was taken for which."""
    if said is None:
        return "a parent that keeps the write end of a pipe waits for itself."
    if said.is_a("NameError"):
        return _NAMES
    if said.is_a("ChildProcessError") or said.is_a("ProcessLookupError"):
        return ANY_CHILD
    if not said.returned:
        return "raised in the caller. run says in its ExitInfo what happened." if wanted[2] else ""
    if said.kind == "NoneType":
        return "a function without a return gives None. What it prints is not handed back."
    if not said.is_a("ExitInfo") or not isinstance(said.plain, list) or len(said.plain) != 3:
        return "run returns an ExitInfo."
    code, number, error = said.plain
    if 99 in (code, number) and 99 not in wanted:
        return ANY_CHILD
    return _of_an_error(code, error, wanted) if wanted[2] else _of_an_end(code, number, error, wanted)


def _of_an_error(code: object, error: object, wanted: Wanted) -> str:
    if error is None and wanted[2] == errno.ENOEXEC and code in (2, 127):
        return "a shell was asked to run what execve refuses."
    if isinstance(error, str):
        return "the errno came home as text: '2' is not 2."
    if error is None:
        return (
            "the errno stayed in the child: the exit code alone does not tell. execve may give any errno, and each is "
            "an OSError."
        )
    if error == wanted[2] and isinstance(code, str):
        return "the code came home as text: '126' is not 126."
    if error == wanted[2]:
        return "127 says that there is nothing to execute (ENOENT), 126 that execve refused it for another reason."
    return "an errno made from the exit code or by looking at the file. Only execve knows; the child tells it."


def _of_an_end(code: object, number: object, error: object, wanted: Wanted) -> str:
    if error is not None:
        return "an exit code, or what the program prints, taken for proof that the exec failed."
    if wanted[1]:
        if code == 0:
            return "a process that a signal has ended has no exit code; ask WIFSIGNALED before WEXITSTATUS."
        if number is not None:
            return "another signal. Its number is in the low seven bits of the wait status (WTERMSIG)."
        if code == -wanted[1]:
            return "-n is Python's way to say signal n (waitstatus_to_exitcode); run says signal=n, and no code."
        return "128 + n is for the record; run itself says which signal it was, and that there is no code."
    if not isinstance(code, int):
        if wanted[0] == 0:
            return "exit code 0 taken for no exit code: 0 and None are both false."
        if isinstance(code, str):
            return f"the code is text: {code!r} is not {wanted[0]}."
        return "an exit code above 128 taken for a signal. Only the wait status tells the two apart." if number else ""
    if wanted[0] and code == wanted[0] << 8:
        return "the raw wait status taken for the exit code. Bits 8-15 hold the code."
    if wanted[0] and wanted[0] > 128 and code == wanted[0] & 0x7F:
        return "seven bits of the exit code. It has eight: 0 to 255."
    return ""


# -- the record -------------------------------------------------------------------------------------------


def phase_two(story: Played, found: list[Record], number: int, pid: str) -> Complaint | None:
    """Say what is wrong with the one record that a run has left."""
    expected = f"ID|{pid or 'PID'}|{story.drawn.image}|exited|START|END|{number}"
    if not found:
        return expected, "no new record that can be read", ""
    if len(found) > 1:
        looks_like = "phase 2 added a line; it completes the line of phase 1."
        return "one line a run", f"{len(found)} lines", looks_like
    one = found[0]
    line = "|".join(one)
    if one[2:4] + one[6:] != [story.drawn.image, "exited", str(number)] or not story.drawn.is_now(one[5]):
        stale = any(fields[1:4] == [one[1], one[2], "running"] for fields in map(_fields, story.history.split("\n")))
        return expected, line, _BY_PID if stale and one[3] == "running" else _incomplete(one, number)
    if pid and one[1] != pid:
        return f"the record of process {pid}, which ran", line, ""
    return None


def _fields(line: str) -> list[str]:
    return line.split("|")


def _incomplete(fields: Record, wanted: int) -> str:
    if fields[3] == "running":
        return "the second phase is missing, or it completed another line: yours is the one with your id."
    if fields[3] == "exited" and fields[6] == str(wanted):
        return mistimed(fields[5]) or "the end time is missing."
    if wanted > 128 and fields[6].lstrip("-") == str(wanted - 128):
        return "the record holds 128 + n for signal n, as a shell says it."
    if fields[3] not in ("exited", "running"):
        return "whatever ended it, the status of a run that is over is exited."
    return ""


def same_line(story: Played, first: Record, one: Record) -> Complaint | None:
    """Say whether phase 2 did not complete the line of phase 1, where it stands.

    A second had passed, and another line came after it.
    """
    became = "|".join(one)
    if one[5] <= first[4]:
        looks_like = "one time for both. The end is known when waitpid has returned, not before."
        return "an end some time after the start", became, looks_like
    final, another = story.value["table"], story.value["another"]
    if final.startswith(story.history) and f"\n{another}" in final.partition(became)[0]:
        looks_like = "the line was taken out and added at the end. Each line stays where it is."
        return "the record in the line of phase 1", "it moved", looks_like
    return None


# -- the table --------------------------------------------------------------------------------------------


def not_whole(story: Played) -> Complaint | None:
    """Say what became of the lines of others, or what a reader could have seen."""
    final, another = story.value["table"], story.value["another"]
    if not final.startswith(story.history) or f"\n{another}" not in final:
        old = [*story.history.split("\n"), another.strip("\n")]
        left = [line for line in old if line not in final.split("\n")]
        seen = f"missing: {_bytes(left[0])}" if left else "their order or the lines between them changed"
        looks_like = _mangled(left, final, another.strip("\n"), story.value["pid"])
        return "the lines that were there, byte for byte and in their order", seen, looks_like
    if not all(line.count("|") == 6 for line in final.removeprefix(story.history).split("\n")[:-1]):
        return "one line a run and nothing else", "a line more, that is no record", ""
    if story.value["in place"]:
        looks_like = "the table was rewritten in place: between truncation and write it is empty for everybody."
        expected = "a reader who has the old table open still sees it whole"
        return expected, "the open file changed under the reader", looks_like
    if torn := str(story.value.get("torn", "")).split("\n")[0]:
        looks_like = "the new file is written and closed first; then one rename puts it over the old one."
        if torn.startswith("half a record"):
            looks_like = "a record written in pieces. One write adds the whole line, or a reader may find half of it."
        return "at each moment there is a whole table, the old one or the new one", torn, looks_like
    return None


def _bytes(line: str) -> str:
    return repr(line.encode("latin-1"))


def _mangled(left: list[str], final: str, another: str, pid: str) -> str:
    """Return what became of lines that belong to others, in words."""
    if final.count("\n") <= 2:
        return "the table was opened with 'w', which empties it; 'a' adds."
    if left and f"\n{another.partition('|')[0]}|" not in final and "\xff" in final:
        return "a line that came while your program ran was lost. Phase 2 reads the table anew."
    if left and left[0] != another and left[0].split("|")[1:2] == [pid]:
        return _BY_PID
    if left == [another]:
        return (
            "another's line was changed, whose id begins like yours and whose pid is the same. Yours is the one whose "
            "whole first field is your id."
        )
    if left and (left[0].count("|") == 6 or re.match(r"c[0-9]", left[0])) and " | " not in left[0]:
        return "a line that is not yours was changed. Yours is the one whose whole first field is your id."
    if left and "\r" in left[0]:
        return "the table taken for text: a carriage return ends no line, and bytes that are no text stay as they are."
    return "lines that are no records were left out, or written anew in another form." if left else ""


# -- ten at once ------------------------------------------------------------------------------------------


def _failed_alone(told: dict[str, ev.Said | None]) -> bool:
    """Return whether the run before the ten did not come back with a value."""
    first = told.get("first")
    return first is None or not first.returned


def ids(story: Played, told: dict[str, ev.Said | None]) -> Complaint | None:
    """Say what is wrong with the ids, or with the records, of ten runs at once."""
    first = story.drawn.highest + 2  # one run came before them
    expected = f"the ids c{first} to c{first + 9}, each with its exit code"
    if len(told) < 11:
        seen = f"{len(told)} of 11 came back"
        return expected, seen + (f": {ev.raised(story.result)}" if ev.raised(story.result) else ""), ""
    for said in told.values():
        if said is None or not said.returned:
            alone = _failed_alone(told)  # nobody was there to be overtaken by
            return expected, words(said), "" if alone else _SHARED
    table = story.value["table"]
    before, *found = story.records(table) or [[""]]
    if before[0] != f"c{first - 1}" and len(found) >= 10:
        return f"the id c{first - 1}, where c{first - 2} is the highest", before[0], _RULE
    own = [fields[0] for fields in found]
    if len(set(own)) < len(own):
        seen = f"{len(own) - len(set(own))} ids were given twice"
        return expected, seen, _TWO_STEPS if f"c{first}" in own else _RULE
    if len(own) < 10 or not table.startswith(story.history):
        return expected, f"{len(own)} records of 10 are left", _SHARED
    if set(own) != {f"c{first + more}" for more in range(10)}:
        return expected, f"the ids {', '.join(own)}", _RULE
    pids = story.value["pids"]
    wanted = {(code, pid, "exited") for code, pid in pids.items()}
    if wrong := [one for one in ((f[6], f[1], f[3]) for f in found) if one not in wanted]:
        return expected, f"code, pid, status: {', '.join(wrong[0])}", _SHARED
    return None
