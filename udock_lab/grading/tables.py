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
    "a_word",
    "a_zone",
    "an_ending",
    "local",
    "misspelt",
    "mistimed",
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


def a_word(length: int = 6, chance: random.Random | None = None) -> str:
    """Return a name, for an image say, that nobody can know beforehand; ``chance``: one that no fork can foretell."""
    return "".join((chance or random).choices(string.ascii_lowercase, k=length))


def a_row(number: int, image: str = "") -> Row:
    """Return some container of some summer; its time has a fraction above one half, so cutting and rounding differ."""
    new_year = timegm((random.randrange(2019, 2026), 1, 1, 0, 0, 0))
    start = new_year + random.randrange(152 * 86400, 240 * 86400) + random.randrange(55, 95) / 100
    return Row(f"c{number}", random.randrange(300, 99999), image or a_word(), start)


def an_ending(row: Row, status: str, code: int) -> Ending:
    """Return its end, some minutes later."""
    return Ending(row.id, status, row.start_time + random.randrange(60, 9999), code)


# -- what it looks like -------------------------------------------------------------------------------------


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
