"""Image tables to search, with the right answer to each search and what each wrong answer says of its author.

Names and paths are drawn anew for each check; what kind of table comes when is always the same, so that the same
mistake shows each time. In each group questions with an answer come before those where nothing is to be found: a
search that does not end where it finds nothing is still judged by what it finds.
"""

from __future__ import annotations

import random
import re
from typing import NamedTuple

from udock_lab.grading.tables import a_word

_LINE = re.compile(rb"[^\n]*\n|[^\n]+")

__all__ = ["Question", "a_path", "all_questions", "line", "probes"]


class Question(NamedTuple):
    """One search. ``table`` None: there is no database. ``path`` is the right answer.

    ``traps`` leads from a wrong answer to the belief behind it; in its place ``"None"`` and ``"raised"`` stand for
    nothing and for an error. Where ``also`` holds other right answers, so do nothing and UnicodeError: only another
    path is wrong. ``place`` is the table's own, where that matters.
    """

    key: str
    what: str
    table: list[bytes] | None
    name: str
    path: str | None
    traps: dict[str, str]
    also: tuple[str, ...] = ()
    place: str = ""

    @property
    def tried(self) -> dict[str, object]:
        """Return what the reproduction of this search needs; nothing where several answers are right."""
        if self.also or self.place:
            return {}
        lines = None if self.table is None else _LINE.findall(b"".join(self.table))
        first = b"%b|%b|" % (self.name.encode(), (self.path or "").encode())
        stay = [line for line in lines or () if self.path is not None and line.startswith(first)]
        return {"lines": lines, "stay": stay, "name": self.name, "path": self.path}


def all_questions() -> list[Question]:
    """Return the questions in the order in which they are asked, which is that of the requirements."""
    return [
        *_plain(),
        *_any_time(),
        *_nothing_there(),
        *_near_misses(),
        *_with_blanks(),
        *_patterns(),
        *_other_spellings(),
        *_not_a_name(),
        *_odd_paths(),
        *_damaged(),
        *_no_text(),
        *_ends_of_lines(),
        *_twice(),
    ]


def probes() -> list[Question]:
    """Return questions that nobody is judged by; what comes back tells what an answer believes.

    ``exists``: a path that is there. ``bytes``: the name is given as bytes. ``alone``: the only image of its table.
    """
    name, path = a_word(), a_path()
    return [
        Question("probes", "exists", [line(name, "/")], name, "/", {}),
        Question("probes", "bytes", [line(a_word(), a_path()), line(name, path)], name, path, {}),
        Question("probes", "alone", [line(name, path)], name, path, {}),
    ]


def a_path() -> str:
    """Return a root file system's path that nobody can know beforehand; all are of one length."""
    return f"/images/{a_word(8)}/rootfs"


def line(name: str, path: str, day: int = 0) -> bytes:
    """Return a record, of that day in January or of any."""
    return f"{name}|{path}|2026-01-0{day or random.randrange(1, 9)}T10:{random.randrange(10, 59)}:00\n".encode()


_PREFIX = "a prefix taken for a match: compare the whole field."
_ZERO = "a byte 0 taken for the end of a name, as C's strings end. Here | ends it."
_CASE = "case ignored. D and d are two different letters in Linux names."
_PART = "a part of the name, or of the line, taken for a match: compare the whole field."
_PATTERN = "a name taken for a pattern, in which some letters stand for others."
_BLANK = "blanks around the name taken away; they make it another name."
_SPELLING = "two ways to spell a letter taken for the same. For Linux a name is its bytes."
_COMMENT = "a line taken for a comment. Three fields, none of them empty, make a record, whatever they hold."
_MARK = "a mark at the beginning of the file (U+FEFF, as utf-8-sig takes it) taken away; it is part of the name."
_BAR = "the beginning of the line compared, not the field: a name with a | in it is nobody's, since | ends a field."
_NEWLINE = "a name of several lines taken for several names, or for the end of another line."
_BLANK_FIELD = "a field of blanks taken for an empty one. A blank is a letter like any other."
_NOT_NONE = "a record taken for none. A path is what stands between the two |, whatever it is."
_GIVES_UP = "the search ended too early: at a bad line, or at another image's. Pass them over."
_NO_RECORD = "a line taken for a record that is none: it has not three fields, or an empty one."
_LINE_END = "a line broken where there is no newline: text mode and splitlines see more ends of lines."
_LONG_LINE = "a long line taken for several. Only a newline ends a line."
_LEFT_OUT = "bytes that are no text left out: what remains is another name, or another path."
_REPLACED = (
    "bytes that are no text replaced (errors='replace' puts U+FFFD there): what comes of it is another name, or a path"
    " that leads nowhere."
)
_LETTERS = "the bytes of one letter taken for several letters. The table is UTF-8."
_ASCII = "letters that are not ASCII left out. The table is UTF-8."
_TIME = "a time looked at. The third field has to hold something; what, is nobody's business here."
_BLANK_TIME = (
    "rstrip() or strip() taken for what removes the newline: it takes every blank before it, too, and a timestamp of"
    " blanks is a field like any other. removesuffix takes the newline alone."
)
_RETURN = (
    "a carriage return taken for a part of the line's end. It is a letter like any other: only a newline ends a line."
)
_CUT = "the last letter of the last line cut off: there it need not be a newline."
_LAST = "a last line without a newline passed over. The last line may lack it."
_MANY = 1 << 16  # letters: more than a buffer has, and a multiple of its size


def _plain() -> list[Question]:
    """Ask for three images, one after the other."""
    names, paths = [a_word() for _ in range(3)], [a_path() for _ in range(3)]
    table = [line(name, path) for name, path in zip(names, paths, strict=True)]
    others = dict.fromkeys(paths, "another image's path: the fields of one line belong together.")
    nothing = ["", _GIVES_UP, _GIVES_UP]
    return [
        Question("finds", f"image {at + 1} of 3, {name}", table, name, path, others | {"None": nothing[at]})
        for at, (name, path) in enumerate(zip(names, paths, strict=True))
    ]


def _any_time() -> list[Question]:
    """Ask for images whose third field is odd as a time, but there."""
    name, path = a_word(), a_path()
    times = ["2999-12-31T23:59:59", "1969-01-01T00:00:00", "0", "on a Monday, about noon", "2026-02-30T25:61:61"]
    traps = {"None": _TIME, "raised": _TIME}
    return [
        Question("finds", f"{name}, with the timestamp {time!r}", table, name, path, traps)
        for time in times
        for table in [[line(a_word(), a_path()), f"{name}|{path}|{time}\n".encode(), line(a_word(), a_path())]]
    ]


def _nothing_there() -> list[Question]:
    name = a_word()
    empty = {"": "an empty text is an answer, too: the empty path. None says that there is none."}
    return [
        Question("none", "a name that is in no line", [line(a_word(), a_path())], name, None, empty),
        Question("none", "an empty database", [], name, None, empty),
        Question("none", "a database that is not there", None, name, None, empty),
        Question("none", "a database whose folder is not there", None, name, None, empty, place="nowhere/images.db"),
    ]


def _near_misses() -> list[Question]:
    """Ask with names that are almost it, above the right one; then without it."""
    name = a_word()
    near = {
        f"my-{name}": _PART,
        f"{name[:2]}-{name}-{name[2:]}": _PART,
        f"{name}-old": _PREFIX,
        f"{name}:latest": _PREFIX,
        f"{name}\0x": _ZERO,
        name[:-1]: _PREFIX,
        name.capitalize(): _CASE,
        name.upper(): _CASE,
        f" {name}": _BLANK,
        f"{name} ": _BLANK,
    }
    paths = {other: a_path() for other in near}
    traps = {paths[other]: belief for other, belief in near.items()}
    parts = [f"/images/{name}", f"/images/{name}/rootfs"]
    decoys = [line(a_word(), part) for part in parts] + [line(other, path) for other, path in paths.items()]
    traps |= dict.fromkeys(parts, _PART)
    path, long = a_path(), a_word(70)
    almost = f"{long[:-1]}-"
    return [
        Question("exact", f"{name}, below {len(decoys)} names like it", [*decoys, line(name, path)], name, path, traps),
        Question("exact", f"{name}, with {len(decoys)} names like it", decoys, name, None, traps),
        Question("exact", f"{name.upper()}, beside {name}", [line(name, path)], name.upper(), None, {path: _CASE}),
        Question("exact", f"{name} with a blank behind it", [line(name, path)], f"{name} ", None, {path: _BLANK}),
        Question("exact", f"{name}:latest", [line(name, path)], f"{name}:latest", None, {path: _PREFIX}),
        Question("exact", "a name of 70 letters", [line(almost, path)], long, None, {path: _PREFIX}),
        Question("exact", "the empty name", [line(name, path)], "", None, {path: _PREFIX}),
    ]


def _with_blanks() -> list[Question]:
    """Ask for names that begin or end with a blank."""
    word = a_word()
    return [
        Question("exact", repr(name), [line(word, a_path()), line(name, path)], name, path, {"None": _BLANK})
        for name in (f" {word}", f"{word} ", f"\t{word}")
        for path in [a_path()]
    ]


def _patterns() -> list[Question]:
    """Ask with letters that have a meaning of their own in regular expressions, in a shell, in SQL."""
    name, path = a_word(), a_path()
    tail = name[3:]
    patterns = [f"{name[:2]}.{tail}", f"{name[:2]}?{tail}", f"{name[:3]}*", f"{name[:2]}[{name[2]}]{tail}",
                f"{name[:2]}_{tail}", f"{name[:3]}%"]  # fmt: skip
    other = a_path()
    return [
        Question("exact", "a+(b", [line("aab", path), line("a+(b", other)], "a+(b", other, {path: _PATTERN}),
        *(Question("exact", one, [line(name, path)], one, None, {path: _PATTERN}) for one in patterns),
    ]


def _other_spellings() -> list[Question]:
    """Ask with names that look alike and are not, and one that looks like no name."""
    word, path = a_word(), a_path()
    one, two = f"caf\u00e9-{word}", f"cafe\u0301-{word}"
    comment, hash_path = f"#{word}", a_path()
    commented = [line(word, path), line(comment, hash_path)]
    marked = [b"\xef\xbb\xbf" + line(word, path)]
    alike = f"{one}, beside the same with e and an accent"
    return [
        Question("exact", comment, commented, comment, hash_path, {"None": _COMMENT}),
        Question("exact", f"{two}, with an accent of its own", [line(two, path)], two, path, {"None": _SPELLING}),
        Question("exact", alike, [line(two, path)], one, None, {path: _SPELLING}),
        Question("exact", f"{word}, behind a mark U+FEFF", marked, word, None, {path: _MARK}),
    ]


def _not_a_name() -> list[Question]:
    """Ask under what can be no field: with a | or a newline in it."""
    name, path, second = a_word(), a_path(), a_path()
    table = [line(a_word(), a_path()), line(name, path)]
    other = [line(a_word(), second), line(name, path)]
    barred, whole = f"{name}|{path}", line(name, path).decode().removesuffix("\n")
    traps = {path: _BAR}
    return [
        Question("exact", f"{barred}, which is two fields", table, barred, None, traps),
        Question("exact", f"{name}|", table, f"{name}|", None, traps),
        Question("exact", "a whole line", table, whole, None, traps),
        Question("exact", f"{name} and a newline", table, f"{name}\n", None, {path: _NEWLINE}),
        Question("exact", f"x, a newline, {name}", other, f"x\n{name}", None, {path: _NEWLINE, second: _NEWLINE}),
    ]


def _odd_paths() -> list[Question]:
    """Ask for paths with blanks, other letters, a field that looks like the name, and shell or URL characters."""
    name, word = a_word(), a_word()
    deep = f"/images/{word}/" + "a-very-deep-folder/" * 300
    odd = [
        f"/images/{word} ",
        f" relative {word}",
        "  ",
        f"/home/jörg {word}/größe",
        f"/home/jo\u0308rg/{word}",
        f"/images/{word}/\t",
        f"/{name}/../{word}",
        f"//images/{word}/./",
        f"/IMAGES/{word.upper()}",
        f"~/{word}",
        f"$HOME/{word}/${{HOME}}",
        f"/images/%41/{word}",
        f"/images/{word}\\t\\x41",
        f'"/images/{word}"',
        deep,
    ]
    nothing = {deep: _LONG_LINE, "  ": _BLANK_FIELD}
    return [
        *(_odd_path(name, path, nothing.get(path, _NOT_NONE)) for path in odd),
        _odd_path(f"größe-{name}", a_path(), _LETTERS),
    ]


def _odd_path(name: str, path: str, nothing: str) -> Question:
    traps = {
        path.encode().decode("latin-1"): _LETTERS,
        path.encode("ascii", "ignore").decode(): _ASCII,
        "None": nothing,
    }
    traps.pop(path, None)  # where all is ASCII
    return Question("path", f"image {name}", [line(a_word(), a_path()), line(name, path)], name, path, traps)


def _damaged() -> list[Question]:
    """Ask for a wanted record below lines that are none; several begin with its name."""
    name, path, traps = a_word(), a_path(), [a_path() for _ in range(10)]
    key, ts = name.encode(), b"2026-01-01T00:00:00"
    trap = [one.encode() for one in traps]
    damage = {
        "too few fields": [b"torn|/images/4\n", b"\n", b"  \n", b"no separator at all\n"],
        "bytes that are no text": [
            b"\xff\xfe no text\n",
            b"\x00\x00\x80|\xc3|\xff\n",
            b"%b\xff%b|%b|%b\n" % (key[:3], key[3:], trap[7], ts),
        ],
        "empty fields": [b"||\n", b"|||\n", b"|%b|%b\n" % (key, ts), b"a|b|c|d|e\n"],
        "two fields": [b"%b|%b\n" % (key, trap[0]), b"%b\n" % key, b"%b|\n" % key],
        "four fields": [b"%b|%b|%b|more\n" % (key, trap[1], ts), b"%b|%b|%b\0|more\n" % (key, trap[1], ts)],
        "a | at the end": [b"%b|%b|%b|\n" % (key, trap[1], ts), b"%b|%b|%b||\n" % (key, trap[1], ts)],
        "an empty field": [b"%b|%b|\n" % (key, trap[2]), b"%b||%b\n" % (key, ts), b"%b||%b|%b\n" % (key, trap[2], ts)],
        "a | too early": [b"|%b|%b|%b\n" % (key, trap[3], ts)],
        "a carriage return": [b"x\r%b|%b|%b\n" % (key, trap[4], ts)],
        "a form feed": [b"x\x0c%b|%b|%b\n" % (key, trap[5], ts)],
        "a line separator": [f"x\u2028{name}|{traps[6]}|2026-01-01T00:00:00\n".encode()],
        "a very long one": [b"x" * _MANY + b"%b|%b|%b\n" % (key, trap[8], ts)],
    }
    beliefs = (
        dict.fromkeys(traps[:4], _NO_RECORD)
        | dict.fromkeys(traps[4:7], _LINE_END)
        | {traps[7]: _LEFT_OUT, traps[8]: _LONG_LINE, "None": _GIVES_UP, "": _NO_RECORD}
    )
    one_by_one = [
        Question("damaged", f"{name}, below lines with {words}", [*lines, line(name, path)], name, path, beliefs)
        for words, lines in damage.items()
    ]
    everything = [one for lines in damage.values() for one in lines]
    barred = [b"a|%b|%b|%b\n" % (key, trap[9], ts)]
    nameless = [b"|%b|%b\n" % (trap[9], ts)]
    return [
        *one_by_one,
        Question("damaged", f"{name}, in no record", everything, name, None, beliefs),
        Question("damaged", f"a|{name}, in a line of four fields", barred, f"a|{name}", None, {traps[9]: _NO_RECORD}),
        Question("damaged", "the empty name, in a line that begins with |", nameless, "", None, {traps[9]: _NO_RECORD}),
    ]


def _no_text() -> list[Question]:
    """Ask where bytes that are no UTF-8 stand in a name, in a path, in another image's time."""
    name, path, trap = a_word(), a_path(), a_path()
    key, other, ts = name.encode(), trap.encode(), b"2026-01-01T00:00:00"
    mark = f"{name[:3]}\ufffd{name[3:]}"  # what errors="replace" makes of the first line's name
    replaced = [b"%b\xff%b|%b|%b\n" % (key[:3], key[3:], other, ts)]
    by_name = {trap: _REPLACED, "None": _GIVES_UP}
    bad = b"/images/%b\xff\xc3/rootfs" % key
    in_path = [b"%b|%b|%b\n" % (key, bad, ts), line(name, path)]
    escaped = bad.decode(errors="surrogateescape")  # os.fsencode makes the same bytes of it
    made_up = {
        bad.decode(errors="replace"): _REPLACED,
        bad.decode(errors="backslashreplace"): _REPLACED,
        bad.decode(errors="ignore"): _LEFT_OUT,
        bad.decode("latin-1"): _LETTERS,
    }
    in_time = [b"%b|%b|\xff\xfe\n" % (a_word().encode(), other), line(name, path)]
    below = f"{mark}, below a line with bytes that are no text"
    return [
        Question("damaged", below, [*replaced, line(mark, path)], mark, path, by_name),
        Question("damaged", f"{name}, whose path is no text", in_path, name, path, made_up, also=(escaped,)),
        Question("damaged", f"{name}, below a time that is no text", in_time, name, path, {"None": _GIVES_UP}),
        Question("damaged", f"{mark}, beside bytes that are no text", replaced, mark, None, by_name),
    ]


def _ends_of_lines() -> list[Question]:
    """Ask where cutting more, or less, than a newline cuts a field or a line."""
    name, path = a_word(), a_path()
    above, key = line(a_word(), a_path()), f"{name}|{path}|".encode()
    plain, short = key + b"2026-01-01T00:00:00", key + b"x"
    last = f"{name}, in a last line without a newline"
    times = {" ": _BLANK_TIME, "\t": _BLANK_TIME, "\r": _RETURN}
    return [
        Question("damaged", last, [above, plain], name, path, {"None": _LAST}),
        Question("damaged", f"{last} and with a timestamp of one letter", [above, short], name, path, {"None": _CUT}),
        *(
            Question("damaged", f"{name}, with the timestamp {time!r}", [above, key + time.encode() + b"\n", above],
                     name, path, {"None": belief, "raised": belief})
            for time, belief in times.items()
        ),
    ]  # fmt: skip


def _twice() -> list[Question]:
    """Ask for a name that stands twice.

    The first one is neither the oldest nor the newest, and its path is neither the first nor the last in order.
    """
    name, (low, middle, high) = a_word(), sorted(a_path() for _ in range(3))
    records = [line(name, middle, 5), line(name, high, 9), line(name, low, 1)]
    table = [line(a_word(), a_path()), *records, line(a_word(), a_path())]
    later = "another record won: a later one, as in a dict that is filled line by line, or one that sorts before it."
    traps = {low: later, high: later, "None": "two records taken for an error: the first one counts."}
    return [Question("first", f"the first of three {name}", table, name, middle, traps)]
