"""M2.3: what a wrong answer looks like, in words. Nothing in here judges."""

from __future__ import annotations

from typing import Any

from udock_lab.grading.evidence import Said, worded
from udock_lab.grading.exercises.m2_3_container_ids.tables import MISTAKEN, File

__all__ = [
    "REMOVED",
    "came_of",
    "changed",
    "lock_taken",
    "mangled",
    "misread",
    "not_alone",
    "not_there",
    "number_of",
    "unlike",
]

REMOVED = "a lock file that is removed. One process waits on the old one, another makes a new one: two locks."


def number_of(said: Said | None) -> int | None:
    """Return the number that was meant, be it ``"c12"``, ``"12"`` or 12; None where there is none."""
    if said is None or not said.returned:
        return None
    if said.is_a("int") and type(said.plain) is int:
        return said.plain
    text = said.plain.removeprefix("c") if said.is_a("str") and isinstance(said.plain, str) else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None


def came_of(said: Said | None, name: str, *, gone: bool = False) -> str:
    """Say what came of a call."""
    if said is not None:
        return worded(said, name)
    return f"{name} ended its process" if gone else f"{name} did not come back"


# -- next_id ----------------------------------------------------------------------------------------------


def misread(file: File, said: Said | None) -> str:
    """Return which rule gives this answer."""
    if said is None:
        return ""
    if not said.returned:
        return _raised(file, said)
    number = number_of(said)
    if number is None:
        return _no_id(said)
    if number == file.number:
        return "a number; an id is text, a c before the digits."
    return _another(file, number)


def _raised(file: File, said: Said) -> str:
    if file.key == "highest" and said.kind in ("FileNotFoundError", "ValueError", "IndexError", "UnboundLocalError"):
        if not file.text:
            return "a missing or empty file taken for an error. Before the first container there is nothing."
        return ""
    if said.is_a("UnicodeError"):
        return (
            "a file taken for text in one encoding. Another program may write any bytes, and no id comes out any more."
        )
    if file.key == "junk" and ("\xb2" in said.shown or "\u00b2" in said.shown) and said.is_a("ValueError"):
        return (
            "what isdigit calls a digit taken for what int() reads: the raised 2 of c\u00b2 is the one, not the other."
        )
    if file.key == "junk" and said.kind in ("ValueError", "IndexError", "TypeError", "AttributeError"):
        return "every line taken for a record. One bad line, and no id is given out any more."
    return ""


def _no_id(said: Said) -> str:
    if said.kind == "NoneType":
        return "a function that returns nothing: printed is not returned. Whoever calls it wants the id."
    if said.is_a("bytes"):
        return "bytes; an id is text (str). decode() makes text of them."
    return "an id is text: a c and the number, without blanks or a newline."


def _another(file: File, number: int) -> str:
    lines = (file.text or "").count("\n")
    if file.key == "junk":
        return _misread_junk(file, number)
    if file.key == "numbers" and number == 10 and "c98" in file.name:
        return "one digit taken for all of them: c100 and c98 were passed over."
    if file.key == "numbers":
        return "ids compared as text: c9 comes after c10 there, because 9 comes after 1."
    if file.text is None:
        return "another file than db was read. The name that is given counts, not one of your own."
    if number == file.number - 1:
        return "the highest id itself, or a count from 0: the next one is one more."
    if "200 kB" in file.name:
        return "one read taken for all of the file. It returns what was asked for, or less: read until nothing comes."
    if number == 1:
        return (
            "nothing was read of the file: opened for writing ('w') it is empty, and 'a+' begins at its end: seek(0)."
        )
    if number == lines + 1:
        return "ids counted. A removed record makes the count smaller, and the id that comes out exists."
    if number == 4 and "c3, in this order" in file.name:
        return "the last line taken for the highest."
    if number in (3, 1) and "c1, c2" in file.name:
        return "a gap taken for a free id. c3 has existed; its log may still be quoted somewhere."
    return ""


def _misread_junk(file: File, number: int) -> str:
    if number - 1 in MISTAKEN:
        return MISTAKEN[number - 1]
    if number == 3 and "without its newline" in file.name:
        return "a last line without its newline taken for none. Its id has been given out."
    if number == 3 and "blanks" in file.name:
        return "a record with blanks around its id passed over. Programs differ in how they write; the id is the same."
    if number in (1, 3):
        return "the first bad line taken for the end of the file."
    lines = (file.text or "").count("\n")
    if number == lines + 1:
        return "lines counted. Not each of them is a record."
    return "something that is no record was counted. An id stands at the beginning of its line, and a | behind it."


# -- allocate, alone --------------------------------------------------------------------------------------


def unlike(said: Said | None, text: str, number: int) -> str:
    """Return why allocate's value is no id, or which other one it is, of a table with this text."""
    got = number_of(said)
    if got == 1 and number > 1:
        return "nothing was read of the table: opened for writing ('w') it is empty, 'a+' begins at its end: seek(0)."
    if got == text.count("\n") + 1 != number:
        return "ids counted. A removed record makes the count smaller, and the id that comes out exists."
    if said is None or not said.returned or (said.is_a("str") and number_of(said) is not None):
        return ""
    return "a number; an id is text, a c before the digits." if number_of(said) is not None else _no_id(said)


def mangled(before: str, after: str | None, line: str) -> str:
    """Return what was done to the table instead of one more line."""
    text = after or ""
    if after is None or after == before:
        return "an id returned and not written down: the next one who asks gets it again."
    if text == line and before:
        return "open for writing ('w') empties the file first. 'a' keeps what is there."
    if text.startswith(before):
        return _at_the_end(text[len(before) :], line)
    if text.replace("\r\n", "\n").replace("\r", "\n").startswith(before.replace("\r\n", "\n").replace("\r", "\n")):
        return "line ends of others changed: text mode makes \\n of \\r\\n. newline='' keeps them, and so do bytes."
    if "\xef\xbf\xbd" in text or "?" in text:
        return "bytes replaced by others (errors='replace'): what is no text for you is for the program that wrote it."
    if len(text.split("\n")) < len(before.split("\n")):
        return "the table written anew from what was understood of it. Lines of others are lost."
    return "the table written anew, and not every byte of it."


def _at_the_end(added: str, line: str) -> str:
    if not added.endswith("\n"):
        return "a line without its end: the next record will stand on the same line."
    if added.startswith("\n"):
        return "an empty line: the line before had its newline already."
    number, _, pid = added.strip().partition("|")
    wanted, _, own = line.strip().partition("|")
    if number == wanted and pid.isdigit() and pid != own:
        return "the pid of another process: of the parent, of a shell ($$), or remembered. os.getpid() where you write."
    return "another form than the one that was asked for: the id, a |, the pid, a newline."


def changed(before: str, after: str | None) -> str:
    """Say what became of the table."""
    if after is None:
        return "there is no table"
    if after == before:
        return "the table is as it was"
    if after.startswith(before):
        return f"the end is {after[len(before) :]!r}"
    old, new = before.split("\n"), after.split("\n")
    at = next((n for n, pair in enumerate(zip(old, new, strict=False)) if pair[0] != pair[1]), min(len(old), len(new)))
    was, now = (lines[at] if at < len(lines) else "" for lines in (old, new))
    return f"line {at + 1} was {was!r} and is {now!r}" if at < len(new) - 1 else f"line {at + 1}, {was!r}, is gone"


# -- locks ------------------------------------------------------------------------------------------------


def lock_taken(locks: list[list[Any]], own: str = "") -> str:
    """Return what was locked instead of the table's ``own`` lock file, from what the process itself told."""
    if not locks:
        return (
            "read-then-write taken for one step. Whoever holds the lock has to be waited for; a lock in memory, or a "
            "file that is open, holds nobody back."
        )
    how, where, operation = locks[0]
    if how == "lockf":
        return "lockf taken for flock: two kinds of lock that do not see each other (flock(2))."
    if how == "O_EXCL":
        return "a lock of your own invention. The other programs hold flock on the lock file."
    if where.endswith(".db"):
        return "a lock on the table itself. The others lock containers.db.lock; and rename leaves such a lock behind."
    if not where.endswith(own or ".db.lock"):
        return f"a lock on another file, {where}. It protects among those who lock the same one: db + '.lock'."
    if operation & 1:  # LOCK_SH
        return "LOCK_SH: readers share it, so two that want to write get it together."
    if operation & 4:  # LOCK_NB
        return "LOCK_NB asks and does not wait; its answer was not heeded, or the asking was given up."
    return "the lock did not last: it goes with the last descriptor of its open file."


def not_there(locks: list[list[Any]]) -> str:
    """Return why a lock was not there when the table was opened."""
    if locks and locks[0][2] & 1:  # LOCK_SH
        return (
            "LOCK_SH for reading, LOCK_EX for writing: readers share it, so two get the same number, and between the "
            "two locks others write."
        )
    return (
        "a lock that was gone at once: it goes with the last descriptor of its open file, which closes with its file "
        "object, or with the process that opened it."
    )


def not_alone(told: dict[str, Any]) -> str:
    """Return why others could go past one that was stopped before it wrote."""
    locks = told["locks"]
    flock = any(how == "flock" and where.endswith(".db.lock") for how, where, _ in locks)
    if (not told["made"] and not flock) or (locks and locks[0][0] == "O_EXCL"):
        return lock_taken(locks)
    if not told["made"] or not told["stays"]:
        return REMOVED
    if told["free"]:
        return (
            "a lock that is gone before the record is in the file: given back, closed with its file object, or held "
            "while the record still waits in a buffer."
        )
    if told["opened without"]:
        return (
            "the table opened while nobody had the lock: read before the lock was there, or written after it was given "
            "back. First the lock, then the reading and the writing, and only then is it given back."
        )
    if told["inherited"]:
        return "a lock file opened before fork: one open file, so one lock, and all of them hold it."
    if locks and locks[0][2] & 5:  # LOCK_SH, LOCK_NB
        return lock_taken(locks)
    return (
        "the table read before the lock was there. What was read is old when the lock comes: first the lock, then the "
        "reading."
    )
