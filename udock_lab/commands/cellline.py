"""What a line of ``%mdock`` is not: a shell's. Pipes, redirections, comments and variables on it are said, not obeyed.

Quotation marks are read as a shell reads them, and what stands in them is meant as it is: no word is said about it.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Sequence
from shlex import quote

from udock_lab.commands.base import Command
from udock_lab.errors import UsageError
from udock_lab.text.terminal import printable

__all__ = ["bare_words", "refuse_shell_words", "shell_word_of_program", "without_semicolon"]

_QUOTED = "\0"  # stands for each character that was quoted or escaped
_OPERATOR = re.compile(r"[|&;<>]")
_VARIABLE = re.compile(r"\$[\w{(]|`|\{[A-Za-z_][\w.]*\}")
_WHOLE_OPERATOR = re.compile(r"\|\|?|&&?|;|&>.*|[0-9]*[<>].*|.*[^;];")  # a URL's & and ; are no operators


def bare_words(line: str) -> list[str]:
    """Return the words that ``shlex.split`` finds, but with each quoted or escaped character replaced."""
    words: list[str] = []
    word, state, chars = "", "", iter(line)
    began = False
    for char in chars:
        if state == "":
            if char.isspace() and char in " \t\r\n":
                if began:
                    words.append(word)
                word, began = "", False
                continue
            began = True
            if char in "'\"":
                state = char
            elif char == "\\":
                next(chars, None)
                word += _QUOTED
            else:
                word += char
        elif char == state:
            state = ""
        elif char == "\\" and state == '"':
            following = next(chars, "")
            word += _QUOTED if following in '"\\' else _QUOTED * 2
        else:
            word += _QUOTED
    return [*words, word] if began else words


def without_semicolon(words: list[str], bare: list[str]) -> tuple[list[str], list[str], bool]:
    """Return the words and their bare form without IPython's ``;`` at the end of the line, and whether it was there.

    IPython shows no result then. A ``;`` that is quoted or escaped, as of ``find -exec``, is the program's.
    """
    if not bare or not bare[-1].endswith(";"):
        return words, bare, False
    last, unquoted = words[-1][:-1], bare[-1][:-1]
    kept = ([last], [unquoted]) if unquoted or last else ([], [])
    return words[:-1] + kept[0], bare[:-1] + kept[1], True


def refuse_shell_words(command: Command | None, words: Sequence[str], bare: Sequence[str]) -> None:
    """Raise UsageError for what only a shell would understand among mdock's own words.

    Those are the words up to the image or the id.
    """
    own = len(words) - _count_of_program(command, words[1:])
    for word, unquoted in zip(words[:own], bare[:own], strict=False):
        what = _what_it_is(unquoted)
        if what:
            name = printable(words[0]) if command else ""
            raise UsageError(
                f"%mdock{' ' if name else ''}{name}: no shell and no variable is read on this line, so {what} "
                f"{printable(word)} stays as it is.",
                f"Ask a shell, which takes Python's variables too: !{_mdock()} {printable(_typed(words, bare))}",
            )


def shell_word_of_program(argv: Sequence[str], bare: Sequence[str]) -> str | None:
    """Return the program's first word that a shell would have changed, or None; ``bare`` are the line's words."""
    if not argv:
        return None
    for word, unquoted in zip(argv, bare[len(bare) - len(argv) :], strict=False):
        if _WHOLE_OPERATOR.fullmatch(unquoted) or unquoted.startswith("#") or _VARIABLE.search(unquoted):
            return word
    return None


def _count_of_program(command: Command | None, words: Sequence[str]) -> int:
    """Return how many of the last words are the program's.

    All of them where the words before are wrong in another way.
    """
    if command is None or not command.tail:
        return 0
    from udock_lab.commands.parsing import tail_of

    try:
        return len(tail_of(command, words))
    except UsageError:
        return len(words)


def _what_it_is(unquoted: str) -> str:
    if unquoted.startswith("#"):
        return "the comment"
    if _VARIABLE.search(unquoted):
        return "the variable"
    return "the shell's" if _OPERATOR.search(unquoted) else ""


def _mdock() -> str:
    """Return what a shell of this kernel finds as mdock: a kernel of another environment may not have it in PATH."""
    return "mdock" if shutil.which("mdock") else f"{quote(sys.executable)} -P -m udock_lab"


def _typed(words: Sequence[str], bare: Sequence[str]) -> str:
    """Return the line once more, its quotation marks where they are needed."""
    return " ".join(quote(word) if _QUOTED in unquoted else word for word, unquoted in zip(words, bare, strict=False))
