"""The subcommands of mdock: one definition each, shared by terminal, magics, completion and tests.

To add one: write a handler ``(args, context) -> Outcome`` and a :class:`Command` in the file it belongs to;
both faces, the overview, ``--help`` and completion then know it.
"""

from __future__ import annotations

from collections.abc import Sequence

from udock_lab.commands import completion, containers, images, machine, running
from udock_lab.commands.base import COMMANDS, LINUX_ONLY, Command, Context, Outcome, require_linux
from udock_lab.commands.optionless import read_without_options
from udock_lab.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace

__all__ = [
    "COMMANDS",
    "LINUX_ONLY",
    "Command",
    "Context",
    "Outcome",
    "dispatch",
    "find",
    "overview",
    "require_linux",
]

for _file in (images, running, containers, machine, completion):
    COMMANDS.update({command.name: command for command in _file.COMMANDS})

_NEVER_GUESSED = {"kill", "prune", "rm", "rmi", "stop"}  # what they take away does not come back
_HELP_WORDS = ("-h", "--help", "help")


def overview() -> str:
    """Return what ``mdock`` alone shows: every command with one line."""
    width = max(len(name) for name in COMMANDS)
    rows = "\n".join(f"  {command.name.ljust(width)}  {command.summary}" for command in COMMANDS.values())
    return (
        "mdock: a small, real container runtime\n\n"
        "usage: mdock COMMAND [OPTIONS] [ARGUMENTS]      in a notebook: %mdock COMMAND ...\n\n"
        f"{rows}\n\n"
        "mdock COMMAND --help explains one of them. A first try:\n"
        "  mdock demo\n"
        "  mdock run demo -- /bin/sh -c 'echo hello from $$; exit 42'\n"
        "In a notebook no shell and no variable is read on the line: |, >, ;, # and $x are words like any other,\n"
        "and what is the program's stands in quotes: %mdock run demo -- sh -c 'ls / | head'\n"
        "Images, records and logs are kept in $MDOCK_HOME (default ~/.mdock).\n"
        "mdock --debug COMMAND ... shows where mdock itself went wrong."
    )


def find(name: str, *rest: str) -> Command:
    """Return the command of this name; else raise UsageError with what docker's word is here, or the nearest one.

    ``rest`` are the words behind it: docker's ``container ls`` is one command of two words.
    """
    command = COMMANDS.get(name)
    if command is not None:
        return command
    from udock_lab.commands.dockerwords import about_command
    from udock_lab.text.nearest import nearest
    from udock_lab.text.terminal import printable

    told = about_command([name, *rest], COMMANDS)
    if told:
        raise UsageError(f"mdock has no command '{name}': {printable(told)}", "All commands: mdock --help")
    near = nearest(name.lower(), COMMANDS)
    guess = f" Did you mean '{near}'?" if near and near not in _NEVER_GUESSED else ""
    what = "option" if name.startswith("-") else "command"
    raise UsageError(f"mdock has no {what} '{printable(name)}'.{guess}", "All commands: mdock --help")


def dispatch(words: Sequence[str], context: Context) -> Outcome:
    """Run one command line, without its leading ``mdock``. Raises MdockError; never exits the process."""
    if not words or words[0] in _HELP_WORDS:
        return Outcome(value=_help(words))
    if words[0] in ("-v", "--version"):
        words = ["version"]
    command = find(*words)
    args: Namespace | str | None = read_without_options(command, words[1:])
    if args is None:
        from udock_lab.commands.parsing import parse

        args = parse(command, words[1:])
    if isinstance(args, str):
        from udock_lab.commands.results import Text

        return Outcome(value=Text(args.rstrip("\n")))
    return command.handler(args, context)


def _help(words: Sequence[str]) -> object:
    if words[:1] == ["help"] and len(words) > 1:
        from udock_lab.commands.parsing import parser_of
        from udock_lab.commands.results import Text

        return Text(parser_of(find(*words[1:])).format_help().rstrip("\n"))
    return overview()
