"""Containers and their records: ``ps``, ``stop``, ``kill``, ``wait``, ``rm``, ``prune``, ``logs``, ..."""

from __future__ import annotations

from udock_lab.commands.base import Command, Context, Outcome
from udock_lab.commands.several import at_once, each
from udock_lab.errors import MdockError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Sequence

    from udock_lab.commands.results import Inspections
    from udock_lab.commands.templates import Template
    from udock_lab.errors import MdockError

__all__ = ["COMMANDS"]


def _ids(parser: ArgumentParser, what: str) -> None:
    parser.add_argument("ids", metavar="ID", nargs="+", help=what)


def _ps_options(parser: ArgumentParser) -> None:
    parser.add_argument("-a", "--all", action="store_true", help="accepted and changes nothing: ended ones are shown")
    from udock_lab.commands.values import count

    parser.add_argument("-q", "--quiet", action="store_true", help="ids only")
    parser.add_argument("--running", action="store_true", help="only those whose process is alive")
    parser.add_argument(
        "-f",
        "--filter",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help="only those with status=, ancestor=IMAGE, id=, name=, exited=CODE, before=ID or since=ID; "
        "several of one key: any of them, several keys: all of them",
    )
    parser.add_argument("-n", "--last", metavar="N", type=count, help="only the last N")
    parser.add_argument("-l", "--latest", action="store_true", help="only the last one")
    parser.add_argument("--no-trunc", action="store_true", help="whole commands, however long")
    _format_option(parser)


def _format_option(parser: ArgumentParser, *short: str) -> None:
    parser.add_argument(
        *short,
        "--format",
        metavar="TEMPLATE",
        help="a Go template as docker takes it, for instance '{{json .}}', or: json",
    )


def _template(text: str) -> Template:
    """Read the template; its code is imported only where a template is given."""
    from udock_lab.commands.templates import Template

    return Template(text)


def ps(args: Namespace, context: Context) -> Outcome:
    """List containers, running and ended alike."""
    from udock_lab.commands.results import Containers, Lines
    from udock_lab.runtime.state.listing import Choice

    of_record = of_standing = None
    if args.filter:
        from udock_lab.commands.filters import tests_of

        of_record, of_standing = tests_of(args.filter, context.runtime.records)
    last = 1 if args.latest else args.last
    choice = Choice(running=args.running, of_record=of_record, of_standing=of_standing, last=last)
    if args.quiet:
        if args.format:
            context.note("--format is left aside: -q asks for ids only.")
        return Outcome(value=Lines(context.runtime.ids(choice)))
    if args.format and args.format != "table":
        from udock_lab.commands.formats import format_containers

        return Outcome(value=format_containers(context.runtime.ps(choice=choice), args.format, whole=args.no_trunc))
    return Outcome(value=Containers(context.runtime.ps(choice=choice, isolation=False), whole=args.no_trunc))


def _stop_options(parser: ArgumentParser) -> None:
    from udock_lab.commands.values import seconds

    _ids(parser, "running containers")
    parser.add_argument(
        "-t",
        "--time",
        metavar="SEC",
        type=seconds,
        default=5.0,
        help="seconds between SIGTERM and SIGKILL (default 5)",
    )


def stop(args: Namespace, context: Context) -> Outcome:
    """Send SIGTERM, wait, send SIGKILL; return as soon as the process is gone.

    Several get their SIGTERM together.
    """
    runtime = context.runtime

    def one(container_id: str) -> None:
        runtime.stop(container_id, timeout=args.time)

    return each(args.ids, at_once(one, args.ids), context)


def _kill_options(parser: ArgumentParser) -> None:
    from udock_lab.commands.values import signal_number

    _ids(parser, "running containers")
    parser.add_argument(
        "-s",
        "--signal",
        metavar="SIG",
        type=signal_number,
        default=9,
        help="SIGTERM, TERM or 15 (default SIGKILL)",
    )


def kill(args: Namespace, context: Context) -> Outcome:
    """Send one signal to the container's process group."""

    def one(container_id: str) -> None:
        context.runtime.kill(container_id, args.signal)

    return each(args.ids, one, context)


def wait(args: Namespace, context: Context) -> Outcome:
    """Wait for containers to end and give their exit codes."""
    return each(args.ids, lambda container_id: context.runtime.wait(container_id).exit_code, context)


def _rm_options(parser: ArgumentParser) -> None:
    _ids(parser, "containers that have ended")
    parser.add_argument("-f", "--force", action="store_true", help="kill a running one first")
    parser.add_argument("-v", "--volumes", action="store_true", help="accepted and changes nothing: there are none")


def rm(args: Namespace, context: Context) -> Outcome:
    """Remove the records, logs and private files of containers."""

    def one(container_id: str) -> None:
        context.runtime.rm(container_id, force=args.force)

    return each(args.ids, one, context)


def _prune_options(parser: ArgumentParser) -> None:
    parser.add_argument("-f", "--force", action="store_true", help="accepted and changes nothing: nothing is asked")


def prune(args: Namespace, context: Context) -> Outcome:
    """Remove every container that has ended."""
    from udock_lab.commands.results import Lines

    errors: list[MdockError] = []
    removed = Lines(context.runtime.prune(on_refused=errors.append))
    for error in errors:
        context.failed(error)
    return Outcome(exit_code=1 if errors else 0, value=removed, errors=tuple(errors))


def _logs_options(parser: ArgumentParser) -> None:
    from udock_lab.commands.values import lines

    parser.add_argument("id", metavar="ID", help="a container")
    parser.add_argument("-f", "--follow", action="store_true", help="go on until the container ends")
    parser.add_argument("-n", "--tail", metavar="N", type=lines, help="only the last N lines (or: all)")


def logs(args: Namespace, context: Context) -> Outcome:
    """Show what a container wrote to standard output and standard error."""
    read_on = None if context.in_cell else lambda: context.out("stdout", b"")  # | head -1: does anybody read on?
    for chunk in context.runtime.read_logs(args.id, tail=args.tail, follow=args.follow, on_idle=read_on):
        context.out("stdout", chunk)
    return Outcome()


def _inspect_options(parser: ArgumentParser) -> None:
    parser.add_argument("names", metavar="ID|IMAGE", nargs="+", help="containers or images")
    _format_option(parser, "-f")


def inspect(args: Namespace, context: Context) -> Outcome:
    """Show everything mdock knows of containers or images, as JSON: an object, or an array for several names."""
    from udock_lab.commands.results import Inspections, Text

    template = None if args.format in (None, "", "json") else _template(args.format)
    found, errors = Inspections(), list[MdockError]()
    if len(args.names) == 1:
        found.append(context.runtime.inspect(args.names[0]))
    else:
        found, errors = _inspect_each(args.names, context)
    if args.format == "json":
        from udock_lab.text.strictjson import strict_json

        texts = [strict_json(one.data) for one in found]
        value: object = Text(texts[0] if len(args.names) == 1 else f"[{','.join(texts)}]")
    elif template is not None:
        value = Text("\n".join(template.render(one.data) for one in found))
    else:
        value = found[0] if len(args.names) == 1 else found
    return Outcome(exit_code=1 if errors else 0, value=value, errors=tuple(errors))


def _inspect_each(names: Sequence[str], context: Context) -> tuple[Inspections, list[MdockError]]:
    """Return what is known of those that are there, and the errors of the others, which are told at once."""
    from udock_lab.commands.results import Inspections

    found, errors = Inspections(), []
    for name in names:
        try:
            found.append(context.runtime.inspect(name))
        except MdockError as error:
            errors.append(error)
            context.failed(error)
    return found, errors


COMMANDS = (
    Command(
        name="ps",
        summary="list containers, running and ended",
        usage="[-a] [-q] [-l | -n N] [--running] [--filter KEY=VALUE] [--format TEMPLATE] [--no-trunc]",
        handler=ps,
        configure=_ps_options,
        examples=(
            "  mdock ps\n  mdock stop $(mdock ps -q --running)\n"
            "  mdock ps --filter status=exited --filter ancestor=demo\n"
            "  mdock ps --format 'table {{.ID}}\\t{{.Status}}'"
        ),
    ),
    Command(
        name="stop",
        summary="end containers: SIGTERM, a while, SIGKILL",
        usage="[-t SEC] ID...",
        handler=stop,
        configure=_stop_options,
        completes="running",
        examples="  mdock stop c1\n  mdock stop -t 0.5 c1 c2",
    ),
    Command(
        name="kill",
        summary="send a signal to containers",
        usage="[-s SIG] ID...",
        handler=kill,
        configure=_kill_options,
        completes="running",
        examples="  mdock kill c1\n  mdock kill -s TERM c1",
    ),
    Command(
        name="wait",
        summary="wait until containers end; print their exit codes",
        usage="ID...",
        handler=wait,
        configure=lambda parser: _ids(parser, "containers"),
        completes="running",
        examples="  mdock wait c1",
    ),
    Command(
        name="rm",
        summary="remove containers that have ended",
        usage="[-f] ID...",
        handler=rm,
        configure=_rm_options,
        completes="container",
        examples="  mdock rm c1 c2\n  mdock rm -f c3",
    ),
    Command(
        name="prune",
        summary="remove every container that has ended",
        usage="",
        handler=prune,
        configure=_prune_options,
        examples="  mdock prune",
    ),
    Command(
        name="logs",
        summary="show what a container wrote",
        usage="[-f] [--tail N] ID",
        handler=logs,
        configure=_logs_options,
        completes="container",
        examples="  mdock logs --tail 20 c1\n  mdock logs -f c1",
    ),
    Command(
        name="inspect",
        summary="everything known of containers or images, as JSON",
        usage="[--format TEMPLATE] ID|IMAGE...",
        handler=inspect,
        configure=_inspect_options,
        completes="both",
        examples=(
            "  mdock inspect c1\n  mdock inspect demo\n"
            "  mdock inspect --format '{{.State.Status}} {{.State.ExitCode}}' c1\n"
            "several names give one array. Names with a capital are docker's. A byte that is no UTF-8 is spelled\n"
            '\\xff, and "not_utf8" then holds the whole text\'s bytes in hexadecimal, by their JSON pointer'
        ),
    ),
)
