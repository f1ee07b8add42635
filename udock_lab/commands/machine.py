"""``doctor``, ``config`` and ``version``: what the machine permits, the home's defaults, and which mdock this is."""

from __future__ import annotations

import os

from udock_lab.commands.base import Command, Context, Outcome
from udock_lab.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

__all__ = ["COMMANDS"]


def doctor(args: Namespace, context: Context) -> Outcome:
    """Try each feature for real and say which rung of the ladder this machine is on."""
    return Outcome(value=context.runtime.doctor())


def _config_options(parser: ArgumentParser) -> None:
    parser.add_argument("setting", metavar="NAME", nargs="?", help="userns: a user namespace for each run, as --userns")
    parser.add_argument("value", metavar="on|off", nargs="?", help="from now on, for everybody who uses this home")


def config(args: Namespace, context: Context) -> Outcome:
    """Show the defaults of this home, or set one."""
    from udock_lab.commands.results import Lines, Text

    runtime = context.runtime
    if args.setting is None:
        return Outcome(value=Lines(f"{name} {_on_off(value)}" for name, value in runtime.settings().items()))
    from udock_lab.runtime.state.settings import check_name

    name = check_name(args.setting)
    if args.value is None:
        return Outcome(value=Text(_on_off(runtime.settings()[name])))
    if args.value not in ("on", "off"):
        raise UsageError(f"mdock config: {args.value!r} is neither on nor off.", f"Type: mdock config {name} on")
    runtime.configure(name, args.value == "on")
    return Outcome()


def _on_off(value: bool) -> str:
    return "on" if value else "off"


def version(args: Namespace, context: Context) -> Outcome:
    """Show the versions of mdock, Python and the kernel."""
    import sys

    from udock_lab.commands.results import Text
    from udock_lab.version import __version__

    python = ".".join(str(part) for part in sys.version_info[:3])
    system = os.uname()
    return Outcome(value=Text(f"mdock {__version__} (Python {python}, {system.sysname} {system.release})"))


COMMANDS = (
    Command(
        name="doctor",
        summary="what this machine permits, each feature tried for real",
        usage="",
        handler=doctor,
        examples="  mdock doctor",
    ),
    Command(
        name="config",
        summary="show or set the defaults of this home",
        usage="[NAME [on|off]]",
        handler=config,
        configure=_config_options,
        words=(("userns",), ("on", "off")),
        examples="  mdock config\n  mdock config userns on     as if each run had --userns; the exception: --no-userns",
    ),
    Command(
        name="version",
        summary="show the version",
        usage="",
        handler=version,
        examples="  mdock version",
    ),
)
