"""The tables of M2.4: each misconception shows in every one of them; only the values are drawn."""

from __future__ import annotations

import random
from calendar import timegm
from dataclasses import dataclass

from udock_lab.grading.tables import Ending, Row, a_row, a_word, a_zone, an_ending

__all__ = [
    "AmongDamage",
    "Clock",
    "Finishing",
    "Tables",
    "a_clock",
    "among_damage",
    "finishing",
    "rows_for_times",
    "tables",
]


@dataclass(frozen=True, slots=True)
class Clock:
    """A time zone that no place has: ``zone`` for TZ (tzset(3)); seconds east of Greenwich in summer and in winter."""

    zone: str
    summer: int
    winter: int


def a_clock() -> Clock:
    """Return one whose clocks go an hour ahead in summer."""
    zone, east = a_zone(summer_time=True)
    return Clock(zone, east, east - 3600)


def rows_for_times(clock: Clock) -> list[tuple[str, Row, int]]:
    """Return rows whose times tell clocks apart, with their distance from Greenwich.

    In summer, whose day, hour and minute are above twelve; in winter; a microsecond before a summer's midnight.
    """
    year = random.randrange(2019, 2026)
    day, hour, minute = random.randrange(13, 28), random.randrange(13, 23), random.randrange(13, 59)
    summer = timegm((year, random.randrange(5, 9), day, hour, minute, random.randrange(13, 59))) - clock.summer
    winter = timegm((year, 1, day, hour, minute, random.randrange(60))) - clock.winter
    midnight = timegm((year, 7, day, 23, 59, 59)) - clock.summer
    numbers = random.sample(range(13, 400), 3)
    return [
        ("fresh", Row(f"c{numbers[0]}", a_pid(), a_word(), summer + 0.75), clock.summer),
        ("winter", Row(f"c{numbers[1]}", a_pid(), a_word(), winter + 0.25), clock.winter),
        ("midnight", Row(f"c{numbers[2]}", a_pid(), a_word(), midnight + 0.999999), clock.summer),
    ]


def a_pid() -> int:
    """Return a pid that is not one of a record's other values."""
    return random.randrange(1000, 99999)


@dataclass(frozen=True, slots=True)
class Finishing:
    """A table in order, three ends, and what it is afterwards, line by line."""

    before: list[bytes]
    after: list[bytes]
    endings: list[Ending]


def finishing(east: int) -> Finishing:
    """Return a table in which three containers end, in ways that are easily mixed up.

    Before and after the record of each stand those whose ids begin or end alike, and one whose image is called so.
    """
    number = random.choice((2, 3, 4, 5, 6, 8))  # no c7, which the statement and many an attempt know
    one, two, three = f"c{number}", f"c{number}1", f"c{number}14"
    rows = [
        a_row(number * 100),  # begins as c{number} does
        a_row(90, one),  # an image may be called like a container
        a_row(900 + number * 10 + 1, "stopped"),
        a_row(number),
        a_row(91, two),
        a_row(number * 10 + 1, "running"),
        a_row(92, three),
        a_row(number * 100 + 14),
        a_row(93, one),
        a_row(94, two),
        a_row(number * 1000 + 140),
    ]
    of = {row.id: row for row in rows}
    endings = [an_ending(of[one], "exited", 0), an_ending(of[two], "stopped", 143), an_ending(of[three], "killed", 137)]
    ended = {ending.id: ending for ending in endings}
    return Finishing([row.line(east) for row in rows], [row.line(east, ended.get(row.id)) for row in rows], endings)


@dataclass(frozen=True, slots=True)
class AmongDamage:
    """A record among lines that are none; the last of them lacks its newline."""

    row: Row
    ending: Ending
    old: list[bytes]
    new: list[bytes]


def among_damage(east: int) -> AmongDamage:
    """Return a table in which one container ends; torn lines of 1 to 6 fields, and longer ones, have its id, too."""
    row, other = a_row(random.randrange(15, 50)), a_row(60)
    before, after = lines_that_are_none(row.id)
    ending = an_ending(row, "exited", random.randrange(1, 99))
    old = [other.line(east), *before, row.line(east), *after]
    return AmongDamage(row, ending, old, [other.line(east), *before, row.line(east, ending), *after])


def lines_that_are_none(name: str) -> tuple[list[bytes], list[bytes]]:
    """Return lines to stand before and after the record of ``name`` that look like it: torn, too long, of like ids."""
    own = name.encode()
    torn = [own + b"|%d|demo|running|2026-01-01T00:00:00|" % random.randrange(300, 999)]
    for _ in range(5):  # of 5, 4, 3, 2 fields, and one
        torn.append(torn[-1].rstrip(b"|").rpartition(b"|")[0])
    alike = [
        own + b"|1|demo|running|2026-01-01T00:00:00|||more\n",
        *(line + b"\n" for line in torn),
        b" " + own + b"|9|demo|running|2026-01-01T00:00:00||\n",
        own + b" |9|demo|running|2026-01-01T00:00:00||\n",
        own.upper() + b"|9|demo|running|2026-01-01T00:00:00||\n",
        b"x|" + own + b"|" + own + b"|running|2026-01-01T00:00:00||\r\n",
        b"note: " + own + b"|1|demo|running|2026-01-01T00:00:00||\n",
    ]
    before = [
        b"\n",
        b"\xff\xfe\x00 no text " + own + b"|\n",
        b"in \x0cone\r line \xe2\x80\xa8 \x85 \x1c only\n",
        *alike,
        b"  \n",
    ]
    after = [
        *alike,
        b"||||||\n",
        b"\t" + random.randbytes(12).translate(bytes.maketrans(b"\n|", b"??")) + b"\xff\n",
        b"\n",
        own + b"|9|no newline",
    ]
    return before, after


@dataclass(frozen=True, slots=True)
class Tables:
    """A table while which is changed others look on; ``torn``: the same, its last line torn.

    ``secret`` stands in it, and nowhere else. ``fewer`` is what is left of it when others have been removed.
    """

    zone: str
    secret: str
    old: bytes
    torn: bytes
    fewer: bytes
    record: Row
    ending: Ending

    @property
    def save(self) -> tuple[str, list[object]]:
        """The call that adds the record."""
        return "save", [*self.record]

    @property
    def update(self) -> tuple[str, list[object]]:
        """The call that says how a container of the table ended."""
        return "update", [*self.ending]


def tables() -> Tables:
    """Return one of fifty records."""
    clock, secret = a_clock(), a_word(12)
    rows = [a_row(number) for number in random.sample(range(10, 80), 50)]
    rows[random.randrange(5)] = a_row(9, secret)
    chosen = random.choice(rows[10:40])
    ending = an_ending(chosen, "stopped", 143)
    old = b"".join(row.line(clock.summer) for row in rows)
    few = [rows[0], chosen, rows[-1]]
    return Tables(
        zone=clock.zone,
        secret=secret,
        old=old,
        torn=old + b"c98|17|torn",
        fewer=b"".join(row.line(clock.summer) for row in few),
        record=a_row(99),
        ending=ending,
    )
