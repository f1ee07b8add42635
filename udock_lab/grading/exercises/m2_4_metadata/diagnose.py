"""What a table looks like that is not as it should be, in words (M2.4)."""

from __future__ import annotations

from calendar import timegm
from time import strptime

from udock_lab.grading.evidence import Said
from udock_lab.grading.tables import local, misspelt, mistimed

__all__ = [
    "another_record",
    "another_time",
    "first_difference",
    "lines_of_others",
    "old_bytes",
    "refusal",
    "shown",
    "wrong_line",
]

_LONGEST = 400  # bytes that are shown
_HANDED_OUT = "the function as it was handed out."


def shown(data: bytes) -> str:
    """Write bytes as a learner would: text where they are text; of very many the last line, whole."""
    if len(data) > _LONGEST:
        last = data.rstrip(b"\n").rpartition(b"\n")[2] + data[len(data.rstrip(b"\n")) :]
        if len(last) <= _LONGEST:
            return f"{len(data):,} bytes, at their end {shown(last)}"
        return f"{len(data):,} bytes in one line"
    return repr(data.decode()) if data.isascii() else repr(data)


def wrong_line(got: bytes | None, error: Said | None) -> str:
    """Say what became of the line that save writes into a new table."""
    if error is not None and error.is_a("NotImplementedError"):
        return _HANDED_OUT
    if error is not None and error.is_a("AttributeError") and "ContainerRecord" in error.shown:
        return "a field by another name. ContainerRecord has id, pid, image and start_time."
    if error is not None and error.is_a("TypeError") and "expected str instance" in error.shown:
        return "join takes texts, and the pid is a number: str(record.pid)."
    if error is not None:
        return ""
    if not got:
        return (
            "phase 1 skipped: nothing was written into the table. If mdock dies before the end, nobody knows that the "
            "container ran."
        )
    return misspelt(got)


def another_time(told: str, true: str, seconds: float, row_zone: tuple[int, int], now: float) -> str:
    """Say which time that is. ``row_zone``: seconds east of Greenwich in summer, and in winter."""
    if told == true or not told:
        return "" if told else "the field is empty. What is known already, phase 1 writes."
    summer, winter = row_zone
    if told == local(seconds, 0):
        return "UTC. Local is what a clock on the wall shows: localtime, not gmtime."
    if told in (local(seconds, summer), local(seconds, winter)):
        return (
            "one distance from UTC for the whole year, today's or the winter's. In summer clocks go otherwise than in "
            "winter: localtime knows for each moment."
        )
    if any(abs(_seconds(told) - _seconds(local(now, zone))) < 600 for zone in (summer, winter, 0)):
        return "the present time. The record says when the container began or ended, which the call was told."
    return mistimed(told, true)


def _seconds(told: str) -> float:
    try:
        return timegm(strptime(told[:19], "%Y-%m-%dT%H:%M:%S"))
    except ValueError:
        return 0.0


def old_bytes(
    old: bytes, line: bytes, got: bytes | None, error: Said | None, *, seven: bool = False
) -> tuple[str, str]:
    """Say what save made of a table: what is seen of it, and what it looks like.

    ``seven``: its last line has seven fields, and is torn all the same.
    """
    if got is None or got == old:
        if error is not None and error.is_a("UnicodeError"):
            return "", "the table taken for text. It may hold bytes that are none; save need not read them at all."
        if error is not None and not old and error.is_a("OSError") and error.errno == 22:
            return "", "an empty table has no last byte: before its beginning there is nothing to seek to."
        if error is not None and not old:
            return "", "an empty table has no last byte and no last line."
        return "" if error else "the table as it was", ""
    if not got.startswith(old):
        return first_difference(old, got), _overwritten(old, line, got)
    rest, looks = got[len(old) :], ""
    torn = bool(old) and not old.endswith(b"\n")
    if torn and rest == line and seven:
        looks = "a torn line of seven fields taken for a whole one. What ends a line is its newline."
    elif torn and rest == line:
        looks = (
            "the record went on in the torn line: now both are lost. Look at the table's last byte; where a file is "
            'opened with "a+", read finds nothing before a seek, since it stands at the end.'
        )
    elif not old and rest == b"\n" + line:
        looks = "an empty table taken for one whose last line is torn: it has no line yet."
    elif rest == (b"\n" if torn else b"") + b"\n" + line:
        looks = "a newline too much: an empty line is a line, too."
    elif rest.count(line.strip(b"\n")) > 1:
        looks = "the record was written twice."
    return f"behind them {shown(rest)}", looks


def _overwritten(old: bytes, line: bytes, got: bytes) -> str:
    if got == line:
        return 'opening with "w" empties the table before the first byte is written.'
    if b"\xff" in old and b"\xff" not in got and got.count(b"\n") >= old.count(b"\n"):
        return "bytes that are no text were replaced or left out while they were read."
    if got == old[: old.rfind(b"\n") + 1] + line:
        return "the torn line dropped. You did not write it, so you cannot know what it is worth."
    if len(got) < len(old):
        return "lines dropped. You did not write them, so you cannot know what they are worth; the torn one, too."
    return "old bytes were changed. They are somebody's; what is broken, too."


def first_difference(old: bytes, new: bytes) -> str:
    """Return the first line that is another one now."""
    lines, other = old.split(b"\n"), new.split(b"\n")
    for at, (one, two) in enumerate(zip(lines, other, strict=False)):
        if one != two:
            return f"line {at + 1} was {shown(one)} and is {shown(two)}"
    return f"{len(other) - 1} lines instead of {len(lines) - 1}"


def another_record(got: list[bytes], wanted: list[bytes], before: list[bytes]) -> tuple[int, str]:
    """Say in which line a table differs from the one that three endings should make of it, and what that looks like."""
    at = next((n for n, line in enumerate(wanted) if got[n : n + 1] != [line]), len(wanted) - 1)
    seen = got[at] if at < len(got) else b""
    if [*got, b""] == wanted:
        return (
            at,
            "the newline at the table's end is gone. split takes them away: join them in again, the last one too.",
        )
    if got[: len(wanted)] == wanted:
        return len(wanted), "a line was added. The table has one record for each container."
    if any(one != two and one in got and two in got for one, two in zip(wanted, before, strict=True)):
        return at, "a second record added. The one that is there changes; nobody knows which of two counts."
    if not any(got):
        return at, "the table is empty now."
    if sorted(got) == sorted(wanted):
        return at, "the lines stand in another order. A table is no sorted list: each line stays where it is."
    return at, _mangled(seen, wanted[at], before[at])


def _mangled(seen: bytes, wanted: bytes, before: bytes) -> str:
    right, fields, old = wanted.split(b"|"), seen.split(b"|"), before.split(b"|")
    if wanted == before:
        return _of_another(fields, right)
    if seen == before:
        return "the record was left as it was."
    if len(fields) != 7:
        return "the record has another number of fields now, or another place."
    if fields[0] != right[0]:
        return "another record stands here. A table is no sorted list: each line stays where it is."
    if fields[2] != right[2]:
        return "the image was changed. A word such as running may stand in any field: change the field, not the word."
    if fields[4] != right[4]:
        return "the start time was changed. It stays as it was: phase 2 changes three fields."
    if fields[1] != right[1]:
        return "the pid was changed. It stays as it was: phase 2 changes three fields."
    if not fields[5] and not fields[6]:
        return "end time and exit code are still empty. Phase 2 fills in three fields."
    if right[6] == b"0" and fields[6] != b"0":
        return "exit code 0 taken for no exit code: 0 and None are both false."
    if fields[3] == old[3]:
        return "the status was left as it was."
    return "" if fields[5] == right[5] else "time"


def _of_another(fields: list[bytes], right: list[bytes]) -> str:
    if len(fields) != 7 or fields[0] != right[0]:
        return "another container's record was changed, or moved."
    if right[2].startswith(b"c") and right[2][1:].isdigit():
        return (
            "another container's record. The id was looked for in all fields, and an image may be called like one: "
            "an id is the whole first field."
        )
    return "another container's record. An id is the whole first field: c1 is not the beginning or the end of c12."


def lines_of_others(wanted: bytes, got: bytes, error: Said | None, name: bytes) -> str:
    """Say what was done to lines that belong to others; ``name`` is the id that was looked for."""
    if error is not None and error.is_a("UnicodeError"):
        return "the table taken for text. A damaged line may hold bytes that are none."
    if error is not None:
        return "every line taken for a record. Not every line has seven fields."
    lines, other = wanted.split(b"\n"), got.split(b"\n")
    if got == wanted + b"\n":
        return "a newline was added at the end."
    if sorted(lines) == sorted(other):
        return "the lines were put in another order."
    if len(other) >= len(lines) and b"\xff" not in got:
        return "bytes that are no text were replaced or left out while they were read."
    at = next((n for n, (one, two) in enumerate(zip(lines, other, strict=False)) if one != two), -1)
    count = lines[at].count(b"|") + 1
    if len(other) == len(lines) and lines[at].startswith(name + b"|") and count != 7:
        fields = "1 field" if count == 1 else f"{count} fields"
        return (
            f"a line of {fields} taken for the record. A record has exactly seven, and what is lost nobody can guess."
        )
    if len(other) == len(lines) and count == 7 and name in lines[at].lower():
        return "another container's record. An id is compared byte for byte: blanks and capital letters count, too."
    if len(other) < len(lines) and set(other) <= set(lines):
        if [line for line in lines if line.strip()] == [line for line in other if line.strip()]:
            return "empty lines dropped. They are lines, too."
        return "damaged lines dropped. You did not write them, so you cannot know what they are worth."
    return _bytes_of_others(lines, other, got)


def _bytes_of_others(lines: list[bytes], other: list[bytes], got: bytes) -> str:
    if len(other) > len(lines):
        if b"\x0c" in got and b"\r" not in got:
            return "a carriage return taken for the end of a line, as text mode does."
        return "splitlines sees more ends of lines than \\n: form feeds, carriage returns and others."
    if [line.strip() for line in lines] == [line.strip() for line in other]:
        return "blanks and carriage returns were taken away; they are somebody's bytes, too."
    if b"\r" not in got:
        return "a carriage return taken for the end of a line, as text mode does."
    return "a line that is no record was changed. A record has exactly seven fields, the id alone in the first."


def refusal(error: Said | None, changed: bool, touched: str) -> str:
    """Say what is wrong with an update that cannot be done; ``touched``: if the table is another one now."""
    if changed:
        return touched
    if error is None or error.returned:
        return "nobody learns that nothing was done. It takes an error: raise."
    if error.is_a("SystemExit"):
        return "exit ends the whole program, mdock too. Raise an error, and the caller decides."
    return (
        f"{error.kind}, another error than the one that was agreed upon: who calls update expects LookupError, or one "
        "derived from it as KeyError is."
    )
