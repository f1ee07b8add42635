"""Image tables to search, with the right answer to each search and what each wrong answer says of its author.

Names and paths are drawn anew for each check; what kind of table comes when is always the same, so that the same
mistake shows each time.
"""

from __future__ import annotations

import random
from typing import NamedTuple

from udock_lab.grading.tables import a_word

__all__ = ["Question", "a_path", "all_questions", "line"]


class Question(NamedTuple):
    """One search. ``table`` None: there is no database. ``path`` is the right answer."""

    key: str
    what: str
    table: list[bytes] | None
    name: str
    path: str | None
    traps: dict[str, str]  # a wrong answer to the belief behind it


def all_questions() -> list[Question]:
    """Return the questions in the order in which they are asked, which is that of the requirements."""
    return [
        *_plain(),
        *_last_letter(),
        *_nothing_there(),
        *_near_misses(),
        *_patterns(),
        *_other_spellings(),
        *_odd_paths(),
        *_damaged(),
        *_twice(),
    ]


def a_path() -> str:
    """Return a root file system's path that nobody can know beforehand; all are of one length."""
    return f"/images/{a_word(8)}/rootfs"


def line(name: str, path: str, day: int = 0) -> bytes:
    """Return a record, of that day in January or of any."""
    return f"{name}|{path}|2026-01-0{day or random.randrange(1, 9)}T10:{random.randrange(10, 59)}:00\n".encode()


_PREFIX = "a prefix taken for a match: compare the whole field."
_CASE = "case ignored. D and d are two different letters in Linux names."
_PART = "a part of the name, or of the line, taken for a match: compare the whole field."
_PATTERN = "a name taken for a pattern, in which some letters stand for others."
_BLANK = "blanks around the name taken away; they make it another name."
_SPELLING = "two ways to spell a letter taken for the same. For Linux a name is its bytes."
_COMMENT = "a line taken for a comment. Three fields, none of them empty, make a record, whatever they hold."
_MARK = "a mark at the beginning of the file (U+FEFF, as utf-8-sig takes it) taken away; it is part of the name."
_NOT_NONE = "a record taken for none. A path is what stands between the two |, whatever it is."
_GIVES_UP = "the search ended too early: at a bad line, or at another image's. Pass them over."
_NO_RECORD = "a line taken for a record that is none: it has not three fields, or an empty one."
_LINE_END = "a line broken where there is no newline: text mode and splitlines see more ends of lines."
_LONG_LINE = "a long line taken for several. Only a newline ends a line."
_LEFT_OUT = "bytes that are no text left out: what remains is another name."
_LETTERS = "the bytes of one letter taken for several letters. The table is UTF-8."
_MANY = 1 << 16  # letters: more than a buffer has, and a multiple of its size


def _plain() -> list[Question]:
    """Ask for three images, one after the other; the last line lacks its newline."""
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


def _last_letter() -> list[Question]:
    """Ask where cutting one letter from each line cuts the whole last field."""
    name, path = a_word(), a_path()
    cut = {"None": "the last letter of the last line cut off: there it need not be a newline."}
    what = f"{name}, in a last line without a newline and with a timestamp of one letter"
    return [Question("finds", what, [line(a_word(), a_path()), f"{name}|{path}|x".encode()], name, path, cut)]


def _near_misses() -> list[Question]:
    """Ask with names that are almost it, above the right one; then without it."""
    name = a_word()
    near = {
        f"my-{name}": _PART,
        f"{name[:2]}-{name}-{name[2:]}": _PART,
        f"{name}-old": _PREFIX,
        f"{name}:latest": _PREFIX,
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


def _patterns() -> list[Question]:
    """Ask with letters that have a meaning of their own in regular expressions, in a shell, in SQL."""
    name, path = a_word(), a_path()
    tail = name[3:]
    patterns = [f"{name[:2]}.{tail}", f"{name[:2]}?{tail}", f"{name[:3]}*", f"{name[:2]}[{name[2]}]{tail}",
                f"{name[:2]}_{tail}", f"{name[:3]}%"]  # fmt: skip
    other = a_path()
    return [
        *(Question("exact", one, [line(name, path)], one, None, {path: _PATTERN}) for one in patterns),
        Question("exact", "a+(b", [line("aab", path), line("a+(b", other)], "a+(b", other, {path: _PATTERN}),
    ]


def _other_spellings() -> list[Question]:
    """Ask with names that look alike and are not, and one that looks like no name."""
    word, path = a_word(), a_path()
    one, two = f"caf\u00e9-{word}", f"cafe\u0301-{word}"
    hash_path = a_path()
    marked = [b"\xef\xbb\xbf" + line(word, path)]
    return [
        Question(
            "exact", f"{one}, beside the same with e and an accent", [line(two, path)], one, None, {path: _SPELLING}
        ),
        Question("exact", f"{word}, behind a mark U+FEFF", marked, word, None, {path: _MARK}),
        Question(
            "exact",
            f"#{word}",
            [line(word, path), line(f"#{word}", hash_path)],
            f"#{word}",
            hash_path,
            {"None": _COMMENT},
        ),
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
    return [
        Question(
            "path",
            f"image {name}",
            [line(a_word(), a_path()), line(name, path)],
            name,
            path,
            {_mojibake(path): _LETTERS, "None": _LONG_LINE if path == deep else _NOT_NONE},
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
        "an empty field": [b"%b|%b|\n" % (key, trap[2]), b"%b||%b\n" % (key, ts)],
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
