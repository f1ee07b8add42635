"""M2.3's tables: the same rules are tried in every run, with numbers that differ."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

__all__ = ["MISTAKEN", "File", "before_and_next", "files", "record"]

_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_KIB_200 = 70_000  # characters of a name: three such lines are more than any one read(2) of a careful program
# Lines that are no records, each with a number of its own: what comes out says which one was taken for a record.
_BY_INT = ("c 1904|17|demo\n", "c+1905|17|demo\n", "c1_906|17|demo\n")  # int() takes them all, the last is the highest
_BY_DIGIT = ("c\u0668\u0664\u0660|17|demo\n", "c\uff18\uff14\uff11|17|demo\n")  # 840 and 841, of other scripts
_ACROSS = "c820\n|17|demo\n"
_INSIDE = ("image c1810|/srv|now\n", "# c1811|\n", "x77|c1812|demo\n", "|c1813|demo\n", "cc1814|1|demo\n")
_LETTERS = ("C815|1|demo\n", "816|1|demo\n", "x817|1|demo\n")
_NO_BAR = ("c818 is no record\n", "c819\n")
_OTHERS = (
    "\n", "   \n", "c|1|demo\n", "no record at all\n", "-3|demo\n", "c-5|demo\n", "c9x|7|demo\n",
)  # fmt: skip
_NO_TEXT = "\xff\xfe\x00 no text\n", "c\xb2|1|demo\n", b"c8\xff30|17|demo\n".decode("latin-1")
# (what comes out is one more)
MISTAKEN = {
    1904: "int() takes blanks between the c and the digits for nothing. An id is a c and digits, 0 to 9.",
    1905: "int() takes a sign, too. An id is a c and digits, 0 to 9.",
    1906: "int() takes more than digits: 1_906 is a number to Python. An id is a c and digits, 0 to 9.",
    840: "digits of every script taken for 0 to 9, as int() and \\d do it in text. Take bytes, re.ASCII or [0-9].",
    841: "digits of every script taken for 0 to 9, as int() and \\d do it in text. Take bytes, re.ASCII or [0-9].",
    820: "an id at the end of a line and the | of the next one taken for one record: \\s takes a newline, too.",
    830: "bytes that are no text left out (errors='ignore'): c8, a byte, 30 became c830. Nothing may be left out.",
    815: "C taken for c. Upper and lower case are different letters.",
    816: "the c taken for something that may be missing.",
    817: "any letter taken for the c.",
    818: "an id without a | behind it counted.",
    819: "an id without a | behind it counted.",
} | dict.fromkeys(
    (1810, 1811, 1812, 1813, 1814),
    "something inside a line was counted. An id stands at the beginning of its line, and a | behind it.",
)


@dataclass(frozen=True, slots=True)
class File:
    """A file for next_id: which requirement it tries, in words, its content, and the number that comes next."""

    key: str
    name: str
    text: str | None
    number: int

    @property
    def lines(self) -> list[bytes] | None:
        """Return its lines; None where there is no file."""
        return None if self.text is None else [line.encode("latin-1") for line in _LINE.findall(self.text)]

    @property
    def records(self) -> list[bytes]:
        """Return those with the highest id, without which another number would come next."""
        highest = re.compile(rb" *c%d *\|" % (self.number - 1))
        return [line for line in self.lines or () if highest.match(line)]


def record(number: int, blanks: str = "", image: str = "demo") -> str:
    """Return the line of a container."""
    return f"{blanks}c{number}{blanks}|{random.randrange(1000, 9000)}|{image}|exited|2026-01-01T10:00:00||0\n"


def files() -> list[File]:
    """Return files for next_id."""
    top = random.randrange(5, 9)
    long = "".join(record(number, image="x" * _KIB_200) for number in (1, 2, 3))
    junk = _junk()
    return [
        File("highest", "a missing file", None, 1),
        File("highest", "an empty file", "", 1),
        File("highest", f"c1, c2, c{top}", "".join(map(record, (1, 2, top))), top + 1),
        File("highest", f"c{top}, c3, in this order", record(top) + record(3), top + 1),
        File("highest", f"c{top}, then 200 kB with lower ones", record(top) + long, top + 1),
        File("highest", f"200 kB with lower ones, then c{top}", long + record(top), top + 1),
        File("numbers", "c100, c9, c98", "".join(map(record, (100, 9, 98))), 101),
        File("numbers", "c9, c10", record(9) + record(10), 11),
        File("numbers", "c999, c1000", record(999) + record(1000), 1001),
        File("junk", f"c2, and c{top} in a last line without its newline", record(2) + f"c{top}|17|de", top + 1),
        File("junk", f"c2, then c{top} with blanks around it", record(2) + record(top, "  "), top + 1),
        File("junk", f"c2, c{top}, c1 among lines that are no records", _among(junk, 2, top, 1), top + 1),
        File("junk", f"c2, c{top}, c1 among lines that are no text", _among(list(_NO_TEXT), 2, top, 1), top + 1),
        File("junk", "no record among other lines", "".join((*junk, *_NO_TEXT)), 1),
    ]


def _junk() -> list[str]:
    """Return lines of text that are no records, characters of other scripts as UTF-8."""
    plain = (*_BY_INT, _ACROSS, *_INSIDE, *_LETTERS, *_NO_BAR, *_OTHERS)
    others = (*_BY_DIGIT, "c\u00b2|17|demo\n")
    return [*plain, *(line.encode().decode("latin-1") for line in others)]


def _among(junk: list[str], *numbers: int) -> str:
    first, *rest = numbers
    return "".join([*junk[:9], record(first), *junk[9:], *map(record, rest)])


def before_and_next() -> list[tuple[str | None, int]]:
    """Return tables for allocate, and the number that comes next: none, a plain one, one with lines of any bytes."""
    top, other = random.randrange(20, 60), random.randrange(60, 90)
    odd = (
        "\xff\xfe no text |\n",
        "\n",
        "a line of Windows\r\n",
        record(other),
        "c5 and no record\n",
        "x\ry \xe2\x80\xa8\n",
    )
    return [(None, 1), (record(3) + record(top), top + 1), (record(3) + "".join(odd), other + 1)]
