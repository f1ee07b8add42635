"""Tables of containers that nobody can know beforehand, and what somebody made of them (exercise m2_4)."""

from __future__ import annotations

import random
import re
import string
import time
from calendar import timegm
from typing import NamedTuple

__all__ = [
    "Ending",
    "Row",
    "a_row",
    "a_table",
    "a_word",
    "a_zone",
    "an_ending",
    "an_unmistakable_row",
    "damaged",
    "difference",
    "local",
    "mangled",
    "misspelt",
    "mistimed",
    "shown",
    "tidied",
]

# -- tables that nobody can know beforehand ---------------------------------------------------------------


class Ending(NamedTuple):
    """The arguments of an update."""

    id: str
    status: str
    end_time: float
    exit_code: int


class Row(NamedTuple):
    """A record that is running, as save is given it."""

    id: str
    pid: int
    image: str
    start_time: float

    def line(self, zone: int, ending: Ending | None = None) -> bytes:
        """Return the line for it, local time being ``zone`` seconds east of Greenwich."""
        end = (ending.status, local(ending.end_time, zone), str(ending.exit_code)) if ending else ("running", "", "")
        fields = (self.id, str(self.pid), self.image, end[0], local(self.start_time, zone), *end[1:])
        return "|".join(fields).encode() + b"\n"


def local(seconds: float, zone: int) -> str:
    """Return ISO 8601 to the second; the fraction is cut off."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(int(seconds) + zone))


def a_zone(*, summer_time: bool) -> tuple[str, int]:
    """Return a time zone that no place has, for TZ (tzset(3)), and how many seconds east of Greenwich its clocks go.

    With ``summer_time`` that is so in summer only; without, all year, as code that writes the present time needs it.
    """
    hours, minutes = random.randrange(3, 10), random.randrange(7, 53)
    east = f"{hours}:{minutes:02d}"
    zone = f"LAB-{hours - 1}:{minutes:02d}LAS-{east},J91,J304" if summer_time else f"LAB-{east}"
    return zone, hours * 3600 + minutes * 60


def a_word(length: int = 6) -> str:
    """Return a name, for an image say, that nobody can know beforehand."""
    return "".join(random.choices(string.ascii_lowercase, k=length))


def a_row(number: int, image: str = "") -> Row:
    """Return some container of some summer; its time has a fraction above one half, so cutting and rounding differ."""
    new_year = timegm((random.randrange(2019, 2026), 1, 1, 0, 0, 0))
    start = new_year + random.randrange(152 * 86400, 240 * 86400) + random.randrange(55, 95) / 100
    return Row(f"c{number}", random.randrange(300, 99999), image or a_word(), start)


def an_unmistakable_row(number: int, zone: int) -> Row:
    """Return a row in whose time no two parts can be taken for each other.

    Day, hour and minute are above twelve.
    """
    while True:
        row = a_row(number)
        told = local(row.start_time, zone)
        if all(int(told[at : at + 2]) > 12 for at in (8, 11, 14)):
            return row


def an_ending(row: Row, status: str, code: int) -> Ending:
    """Return its end, some minutes later."""
    return Ending(row.id, status, row.start_time + random.randrange(60, 9999), code)


def a_table(rows: list[Row], zone: int, endings: list[Ending] | None = None) -> list[bytes]:
    """Return the lines of these records; those that ``endings`` name have ended."""
    ended = {ending.id: ending for ending in endings or []}
    return [row.line(zone, ended.get(row.id)) for row in rows]


def damaged(row: Row) -> tuple[list[bytes], list[bytes]]:
    """Return lines before and after the record of ``row`` that are none, though they look like it here and there."""
    name = row.id.encode()
    before = [
        b"\n",
        name + b"|" + str(row.pid).encode() + b"|torn\n",
        b"\xff\xfe\x00 no text " + name + b"|\n",
        b"note: " + name + b"|1|demo|running|2026-01-01T00:00:00||\n",
        b"in \x0cone\r line \xe2\x80\xa8 \x85 \x1c only\n",
        b"  \n",
    ]
    after = [
        name + b"|1|demo|running|2026-01-01T00:00:00|||more\n",
        b"x|" + name + b"|demo|running|2026-01-01T00:00:00||\r\n",
        b"||||||\n",
        b"\t" + random.randbytes(12).replace(b"\n", b"?").replace(b"|", b"?") + b"\n",
        name + b"|9|no newline",
    ]
    return before, after


# -- what it looks like -------------------------------------------------------------------------------------


def difference(old: bytes, new: bytes) -> str:
    """Return the first line that is another one now."""
    lines, other = old.split(b"\n"), new.split(b"\n")
    for at, (one, two) in enumerate(zip(lines, other, strict=False)):
        if one != two:
            return f"line {at + 1} was {shown(one)} and is {shown(two)}"
    return f"{len(other) - 1} lines instead of {len(lines) - 1}"


def shown(data: bytes, most: int = 90) -> str:
    """Return bytes as a person reads them."""
    text = repr(data)[1:]
    return text if len(text) <= most else f"{text[:most]}... ({len(data)} bytes)"


def misspelt(got: bytes) -> str:
    """Return what became of the format, in words."""
    fields = got.rstrip(b"\n").split(b"|")
    if len(fields) == 7 and {b"-1", b"None", b"null", b"0", b"-"} & {*fields[5:]}:
        return "a placeholder where nothing is known yet. While a container runs, both fields are empty."
    if len(fields) != 7:
        return f"a record has seven fields with a | between them, known or not. Here they are {len(fields)}."
    if b"Status" in fields[3]:
        return "the name of a constant, not its value, was written."
    if not got.endswith(b"\n"):
        return "the newline at the end is missing: the next record would go on in this line."
    if b" |" in got or b"| " in got:
        return "blanks around |. They would belong to the fields."
    if fields[3] != b"running":
        return "phase 1 writes down that the container is running; how it ends, nobody knows yet."
    return ""


def mistimed(told: str, true: str = "") -> str:
    """Return which time that is, where ``true`` should stand (empty: nobody knows it to the second)."""
    if re.fullmatch(r"[0-9.]+", told):
        return "the number of seconds itself. The table is made for people: ISO 8601."
    if re.search(r"\.[0-9]", told):
        return "the fraction of a second is still there; the table knows whole seconds."
    if re.search(r"(Z|[+-][0-9]{2}:?[0-9]{2})$", told[10:]):
        return "an offset stands behind it. The table holds local time without one."
    if re.fullmatch(r"[0-9-]{10} [0-9:]{8}", told):
        return "a blank between date and time. ISO 8601 has a T there."
    if true and told == _second_after(true):
        return "the fraction was rounded. It is cut off: a clock shows a second until the next one has begun."
    if re.fullmatch(r"[0-9-]{10}T[0-9:]{8}", told):
        return "the time of another place (UTC? or without summer time), or of another moment. localtime(3) knows."
    return "ISO 8601 writes year-month-dayThour:minute:second." if told else ""


def _second_after(time_of_day: str) -> str:
    then = time.strptime(time_of_day, "%Y-%m-%dT%H:%M:%S")
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(timegm(then) + 1))


def mangled(seen: bytes, wanted: bytes, before: bytes) -> str:
    """Return what became of a record that should read ``wanted``, in words."""
    right, fields = wanted.split(b"|"), seen.split(b"|")
    if right[3] == b"running" and fields[0] == right[0]:
        return "another container's record. An id is the whole first field: c1 is not the beginning of c12."
    if seen == before:
        return "the record was left as it was."
    if len(fields) != 7:
        return "the record has another number of fields now, or another place."
    if fields[0] != right[0]:
        return "another record stands here. A table is no sorted list: each line stays where it is."
    if fields[2] != right[2]:
        return "the image was changed. A word such as running may stand in any field: change the field, not the word."
    if fields[5] != right[5]:
        told, true = fields[5].decode(errors="replace"), right[5].decode()
        return mistimed(told, true) or "the end time is missing."
    if right[6] == b"0" and fields[6] != b"0":
        return "exit code 0 taken for no exit code: 0 and None are both false."
    return ""


def tidied(error: str, wanted: bytes, got: bytes) -> str:
    """Return what was done to lines that belong to others, in words."""
    if "Unicode" in error:
        return "the table taken for text. A damaged line may hold bytes that are none."
    if error:
        return "every line taken for a record. Not every line has seven fields."
    if got == wanted + b"\n":
        return "a newline was added at the end."
    if b"\xff" not in got:
        return "bytes that are no text were replaced or left out while they were read."
    if sorted(got.split(b"\n")) == sorted(wanted.split(b"\n")):
        return "the lines were put in another order."
    if b"\x0c" in got and b"\r" not in got and b"\x1c" in got and got.count(b"\n") > wanted.count(b"\n"):
        return "a carriage return taken for the end of a line, as text mode does."
    if [line.strip() for line in got.split(b"\n")] == [line.strip() for line in wanted.split(b"\n")]:
        return "blanks and carriage returns were taken away; they are somebody's bytes, too."
    if len(got) < len(wanted) and got.count(b"\n") < wanted.count(b"\n"):
        return "damaged lines dropped. You did not write them, so you cannot know what they are worth."
    if got.count(b"\n") > wanted.count(b"\n"):
        return "splitlines sees more ends of lines than \\n: form feeds, carriage returns and others."
    return "a line that is no record was changed. A record has exactly seven fields, the id alone in the first."
