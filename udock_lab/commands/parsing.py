"""From words to arguments: argparse behind a scanner that knows where options end.

The scanner exists because argparse differs between versions in what it does to ``--`` and to options after
the first argument, exits the process on an error, and has no suggestions. Every error here is a UsageError.
"""

from __future__ import annotations

import argparse
import re
import shlex
from collections.abc import Iterable, Sequence
from typing import NamedTuple, NoReturn

from udock_lab.commands.base import Command
from udock_lab.errors import UsageError

__all__ = [
    "CommandParser",
    "parse",
    "parser_of",
    "split_words",
    "tail_of",
]

_UNQUOTED = frozenset(map(chr, range(32, 127))) - set("'\"\\") | set("\t\r\n")


def split_words(line: str) -> list[str]:
    """Split a line of ``%mdock`` as a shell would; raise UsageError where a quotation mark is not closed."""
    if _UNQUOTED.issuperset(line):
        return line.split()  # all that shlex, which reads character by character, would do
    try:
        return shlex.split(line)
    except ValueError as error:
        raise UsageError(
            f"%mdock: the line cannot be split into words: {str(error).lower()}.",
            'Close the quotation mark, or write a single quote as "\'".',
        ) from None


class CommandParser(argparse.ArgumentParser):
    """An ArgumentParser that raises instead of exiting."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{self.prog}: {message}", f"Usage: {self.usage}\nHelp: {self.prog} --help")


def _formatter(prog: str) -> argparse.HelpFormatter:
    """Return a formatter of fixed width, so that help is the same in a cell, a pipe and any terminal."""
    return argparse.RawDescriptionHelpFormatter(prog, max_help_position=28, width=96)


_parsers: dict[str, tuple[Command, argparse.ArgumentParser]] = {}


def parser_of(command: Command) -> argparse.ArgumentParser:
    """Return the parser of one command, built when first needed; its ``format_help()`` is what ``--help`` shows."""
    known, parser = _parsers.get(command.name, (None, None))
    if parser is None or known is not command:
        parser = _build_parser(command)
        _parsers[command.name] = command, parser
    return parser


def _build_parser(command: Command) -> argparse.ArgumentParser:
    epilog = f"examples:\n{command.examples}" if command.examples else None
    parser = CommandParser(
        prog=f"mdock {command.name}",
        usage=f"mdock {command.name} {command.usage}".rstrip(),
        description=command.summary,
        epilog=epilog,
        allow_abbrev=False,
        add_help=False,
        formatter_class=_formatter,
    )
    parser.add_argument("-h", "--help", action="help", help="show this help")
    if command.configure:
        command.configure(parser)
    return parser


class _Scan(NamedTuple):
    options: list[str]
    arguments: list[str]
    tail: list[str]
    help: bool


def parse(command: Command, words: Sequence[str]) -> argparse.Namespace | str:
    """Return the arguments of one command, or its help as text when ``-h`` or ``--help`` is among the options."""
    for word in words:
        if "\0" in word:
            raise UsageError(
                f"mdock {command.name}: an argument contains a NUL byte, which no system call can carry.",
                "Take the \\0 out of it.",
            )
    parser = parser_of(command)
    scan = _scan(command, parser, words)
    if scan.help:
        return parser.format_help()
    guard = ["--"] if any(word.startswith("-") for word in scan.arguments) else []
    try:
        args, extra = parser.parse_known_args([*scan.options, *guard, *scan.arguments])
    except UsageError as error:  # a value's own message does not know its command
        if error.message.startswith("mdock "):
            raise
        raise UsageError(f"mdock {command.name}: {error.message}", error.hint) from None
    if extra:
        parser.error(f"too many arguments: {' '.join(extra)}")
    if command.tail:
        setattr(args, command.tail, scan.tail)
    return args


def tail_of(command: Command, words: Sequence[str]) -> list[str]:
    """Return the words that go to the program as they are; raise UsageError where an option before them is wrong."""
    return _scan(command, parser_of(command), words).tail


def _scan(command: Command, parser: argparse.ArgumentParser, words: Sequence[str]) -> _Scan:
    """Separate the options from the arguments; with a ``tail``, stop at the first argument for good."""
    options: list[str] = []
    arguments: list[str] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word == "--":
            arguments += rest[:1] if command.tail else rest
            rest = rest[1:] if command.tail else []
            break
        if len(word) > 1 and word.startswith("-"):
            needs_value, wants_help = _look_up(command, parser, word)
            if wants_help:
                _mind_dockers_h(command, word, rest)
                return _Scan([], [], [], True)
            options.append(word)
            if needs_value:
                if not rest:
                    parser.error(f"option {word} needs a value")
                value = rest.pop(0)
                if value.startswith("-"):  # joined, so that it stays a value
                    options[-1] = f"{word}={value}" if word.startswith("--") else word + value
                else:
                    options.append(value)
            continue
        arguments.append(word)
        if command.tail:
            break
    if command.tail and rest[:1] == ["--"]:
        rest = rest[1:]
    return _Scan(options, arguments, rest if command.tail else [], False)


def _mind_dockers_h(command: Command, word: str, rest: Sequence[str]) -> None:
    """Refuse ``docker run -h NAME IMAGE``, which names the host.

    A person who types that does not want to read the help, and exit code 0.
    """
    if command.name == "run" and not word.startswith("--") and len(rest) > 1:
        raise UsageError(
            "mdock run: -h is --help here; docker's -h, a host name of its own, comes with namespaces.",
            f"Leave it out, with its {rest[0]!r}.   The help: mdock run --help",
        )


def _look_up(command: Command, parser: argparse.ArgumentParser, word: str) -> tuple[bool, bool]:
    """Return whether an option word still lacks its value, and whether it asks for help.

    Raises UsageError if it is unknown.
    """
    known = parser._option_string_actions
    if word.startswith("--"):
        name, equals, _ = word.partition("=")
        if name not in known:
            _unknown(command, known, name, name)
        action = known[name]
        if equals and action.nargs == 0:
            parser.error(f"option {name} takes no value")
        return action.nargs != 0 and not equals, name == "--help"
    for position, letter in enumerate(word[1:], start=1):
        name = "-" + letter
        if name not in known:
            _unknown(command, known, name, word if position == 1 else name)
        if name == "-h":
            return False, True
        if known[name].nargs != 0:
            return position == len(word) - 1, False
    return False, False


def _unknown(command: Command, known: Iterable[str], name: str, word: str) -> NoReturn:
    """Raise UsageError: ``name`` is no option of the command.

    ``word`` is what was typed, to the end (``-v/a:/b``, ``-name``).
    """
    from udock_lab.commands.dockerwords import about_option

    long = f"-{word}" if len(word) > 2 and not word.startswith("--") else word
    for meant in (word, long, name):
        reason = about_option(command.name, meant)
        if reason:
            raise UsageError(f"mdock {command.name}: there is no option {meant}: {reason}", _help_hint(command))
    if long != word and long in known:
        raise UsageError(
            f"mdock {command.name}: {long} is written with two dashes, not as {word}.", _help_hint(command)
        )
    if command.name == "kill" and re.fullmatch(r"-[A-Z0-9]+", word):
        raise UsageError(
            f"mdock kill: the signal is given with -s, not as {word}.", f"Type: mdock kill -s {word[1:]} ID"
        )
    from udock_lab.text.nearest import nearest

    single = len(word) == 2  # every short option is as near as any other: only its other case is meant
    near = next((name for name in known if name == word.swapcase()), None) if single else nearest(word, known, 0.75)
    guess = f" Did you mean {near}?" if near else ""
    raise UsageError(f"mdock {command.name}: unknown option {word}.{guess}", _help_hint(command))


def _help_hint(command: Command) -> str:
    return f"All options: mdock {command.name} --help"
