"""``run`` and ``exec``: start a program in a container."""

from __future__ import annotations

from udock_lab.commands.base import Command, Context, Outcome
from udock_lab.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Sequence
    from typing import NoReturn

    from udock_lab.model import ContainerSpec, RunResult

__all__ = ["COMMANDS", "spec_of"]


def _both_options(parser: ArgumentParser) -> None:
    parser.add_argument(
        "-i",
        "--interactive",
        action="store_true",
        help="pass on what is typed: with -t each key, else whole lines, until Ctrl-D. In the foreground a pipe or a "
        "file is read without -i, too; in the background (-d, or a shell's &) only with it",
    )
    parser.add_argument(
        "-t",
        "--tty",
        action="store_true",
        help="give the program a terminal of its own; it reads nothing there without -i. -it is what a plain "
        "command means at a terminal, and is refused where standard input is none",
    )
    parser.add_argument(
        "-e",
        "--env",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help="set an environment variable; KEY alone passes yours on, if you have it. Nothing else is inherited",
    )
    parser.add_argument(
        "--env-file",
        metavar="FILE",
        action="append",
        default=[],
        help="variables from a file, one KEY=VALUE a line, quotes kept; -e comes on top",
    )
    parser.add_argument("-w", "--workdir", metavar="DIR", help="start in this directory of the container")
    parser.add_argument(
        "--no-guard",
        action="store_true",
        help="in a notebook: let the program do kill(-1), which ends the notebook's kernel, too "
        "(otherwise a filter refuses it); in a terminal nothing is refused anyway",
    )


_LAYER = "layer_"  # so begin the destinations of options that ask for a layer of isolation by its name


def _layer(parser: ArgumentParser, name: str, metavar: str, help: str) -> None:
    """Add the option ``--NAME``: it asks for the layer of that name in isolation/sequence.py."""
    parser.add_argument(f"--{name}", metavar=metavar, dest=_LAYER + name, help=help)


def _layers(args: Namespace) -> tuple[tuple[str, str], ...]:
    """Return the layers that are asked for by name, each with its value."""
    asked = {name: value for name, value in vars(args).items() if name.startswith(_LAYER) and value is not None}
    return tuple((name.removeprefix(_LAYER), value) for name, value in asked.items())


def _run_options(parser: ArgumentParser) -> None:
    from udock_lab.commands.values import count, size, whole_seconds

    parser.add_argument("image", metavar="IMAGE", help="a name that 'mdock images' lists; options end here")
    parser.add_argument("-d", "--detach", action="store_true", help="run in the background and print the id")
    parser.add_argument("--rm", action="store_true", help="remove the container when it has ended")
    _both_options(parser)
    parser.add_argument("--copy", action="store_true", help="run in a private copy of the image's files")
    limits = parser.add_argument_group(
        "limits",
        "The kernel counts these per process, not per container: two processes may each use as much.",
    )
    limits.add_argument(
        "--mem",
        metavar="SIZE",
        type=size,
        help="address space of each process (RLIMIT_AS), for instance 64M: allocations beyond it fail; "
        "a program that cannot even start in it ends in SIGSEGV",
    )
    limits.add_argument(
        "--cpu",
        metavar="SECONDS",
        type=whole_seconds,
        help="processor time of each process (RLIMIT_CPU): SIGXCPU, and SIGKILL a second later",
    )
    limits.add_argument(
        "--files", metavar="N", type=count, help="open files of each process (RLIMIT_NOFILE), for instance 64"
    )
    parser.add_argument(
        "--userns",
        action="store_true",
        default=None,
        help="chroot without root, by a user namespace; for every run: mdock config userns on",
    )
    parser.add_argument(
        "--no-userns", dest="userns", action="store_false", help="without one, where this home's default is to have one"
    )
    parser.add_argument("--steps", action="store_true", help="afterwards show each system call, with its time")
    parser.add_argument(
        "--snapshots",
        action="store_true",
        help="look at the process twice, at its gate and just before exec, and show what changed in between: "
        "root, working directory, limits, credentials, ...",
    )
    parser.add_argument(
        "--no-spare",
        action="store_true",
        help="in a notebook: fork within this run, so that its timeline shows the fork at its place "
        "(otherwise a pre-forked child, the spare, is taken); in a terminal every run forks anyway",
    )


def _exec_options(parser: ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help="a running container; options end here")
    _both_options(parser)


def _variables(args: Namespace, context: Context) -> tuple[tuple[str, str], ...]:
    """Return what the files say, and on top of it what ``-e`` says, in whatever order they were given."""
    if not args.env and not args.env_file:
        return ()
    from udock_lab.commands.values import environment

    typed = environment(args.env, context.environ)
    if not args.env_file:
        return tuple(typed.items())
    from udock_lab.commands.envfile import read_env_files

    return tuple((read_env_files(args.env_file, context.environ) | typed).items())


def spec_of(args: Namespace, context: Context) -> ContainerSpec:
    """Return what the words of ``run`` ask for.

    Raises UsageError for what this face cannot give (a terminal in a cell).
    """
    from udock_lab.model import ContainerSpec, Limits

    tty, interactive = _terminal_and_keys(args, context, detach=args.detach)
    if context.in_cell and not args.argv and context.stdin is None:
        _no_terminal(f"a shell in '{args.image}' would have nobody who types", args)
    return ContainerSpec(
        image=args.image,
        argv=tuple(args.argv) or ("/bin/sh",),
        env=_variables(args, context),
        workdir=args.workdir,
        limits=Limits(memory=args.mem, cpu=args.cpu, files=args.files),
        userns=args.userns,
        copy=args.copy,
        detach=args.detach,
        remove=args.rm,
        tty=tty,
        interactive=interactive,
        guard=_is_guarded(args, context),
        layers=_layers(args),
    )


def _is_guarded(args: Namespace, context: Context) -> bool:
    return context.in_cell and not args.no_guard


def run(args: Namespace, context: Context) -> Outcome:
    """Start a program in a new container and, without ``-d``, stay with it to its end."""
    from udock_lab.runtime.runio import RunIO, RunOptions

    spec = spec_of(args, context)
    flows = RunIO(
        stdin=_input(context, interactive=spec.interactive, detach=spec.detach),
        on_output=context.out,
        on_note=context.note,
        one_pipe=context.one_output,
    )
    made = RunOptions(spare=False if args.no_spare else None, snapshots=args.snapshots)
    result = context.runtime.run(spec, flows, made)
    if args.detach and result.failure is None:
        context.succeeded(result.id)
    _mind_the_shell(f"run {result.image}", args.argv, context)
    if args.steps:
        _show_steps(result, context)
    if args.snapshots and not context.in_cell:
        _show_changes(result, context)
    return Outcome(exit_code=result.exit_code or 0, value=result, shown=True)


def _mind_the_shell(command: str, argv: Sequence[str], context: Context) -> None:
    """Refuse shell words in a cell: no shell reads the line, and ``|`` is one more word for the program.

    What was quoted is meant so.
    """
    if not context.in_cell or not context.bare_words:
        return
    from shlex import quote

    from udock_lab.commands.cellline import shell_word_of_program

    word = shell_word_of_program(argv, context.bare_words)
    if word is not None:
        context.note(
            f"No shell and no variable is read on this line, so {word} went to {argv[0]} as it is. "
            f"Was it meant so? Then put it in quotes. A shell takes it: "
            f"%mdock {command} -- /bin/sh -c {quote(' '.join(argv))}"
        )


def exec_(args: Namespace, context: Context) -> Outcome:
    """Start one more program inside a running container."""
    if not args.argv:
        raise UsageError(
            "mdock exec: which program?",
            f"Type: mdock exec {args.id} /bin/ls /   (all options: mdock exec --help)",
        )
    tty, interactive = _terminal_and_keys(args, context, detach=False)
    result = context.runtime.exec(
        args.id,
        tuple(args.argv),
        env=_variables(args, context),
        workdir=args.workdir,
        tty=tty,
        interactive=interactive,
        guard=_is_guarded(args, context),
        stdin=_input(context, interactive=interactive, detach=False),
        on_output=context.out,
        on_note=context.note,
        one_pipe=context.one_output,
    )
    _mind_the_shell(f"exec {args.id}", args.argv, context)
    return Outcome(exit_code=result.exit_code or 0, value=result, shown=True)


def _terminal_and_keys(args: Namespace, context: Context, *, detach: bool) -> tuple[bool, bool]:
    """Return whether the program gets a terminal of its own, and whether a person may type.

    As it is asked for; where nothing is asked for, in the foreground of a terminal: both.
    """
    if context.in_cell:
        if args.tty:
            _no_terminal("a notebook cell has no terminal, so -t cannot be given", args)
        if args.interactive and context.stdin is None:
            _no_terminal("a notebook cell has no keyboard to read from, so -i needs a script", args)
        return False, args.interactive
    if args.tty and args.interactive and not detach and not context.stdin_is_terminal:
        raise UsageError(
            "the input device is not a terminal",
            "Standard input is a file or a pipe here: leave -t out (-i is enough).",
        )
    plain = context.at_terminal and not (detach or args.tty or args.interactive)
    return args.tty or plain, args.interactive or plain


def _input(context: Context, *, interactive: bool, detach: bool) -> int | bytes | None:
    """Return what the program reads: nothing where no person is there to type, unless ``-i`` asks for it."""
    unattended = detach or (context.stdin_is_terminal and context.in_background)  # a shell's "&" does as much
    return None if unattended and not interactive and not context.in_cell else context.stdin


def _no_terminal(what: str, args: Namespace) -> NoReturn:
    if hasattr(args, "id"):
        hint = f"Name a program:    %mdock exec {args.id} -- /bin/sh -c 'echo hello'"
    else:
        hint = (
            f"Name a program:    %mdock run {args.image} -- /bin/sh -c 'echo hello'\n"
            f"or give a script:  %%mdock run {args.image}      (the rest of the cell is the script)"
        )
    raise UsageError(f"In a cell there is no terminal: {what}.", hint)


def _show_steps(result: RunResult, context: Context) -> None:
    from udock_lab.display.text.runs import steps_text

    context.out("stderr", steps_text(result).encode("utf-8", "replace") + b"\n")


def _show_changes(result: RunResult, context: Context) -> None:
    from udock_lab.display.text.changes import changes_text

    context.out("stderr", changes_text(result).encode("utf-8", "replace") + b"\n")


COMMANDS = (
    Command(
        name="run",
        summary="run a program in a new container",
        usage="[OPTIONS] IMAGE [--] [PROGRAM ARGS...]",
        handler=run,
        configure=_run_options,
        tail="argv",
        completes="image",
        own_exit_code=True,
        examples=(
            "  mdock run demo -- /bin/sh -c 'echo hello; exit 42'\n"
            "  mdock run -it demo                    a shell (the default program is /bin/sh)\n"
            "  mdock run --mem 64M --cpu 2 demo sh < script.sh\n"
            "  %%mdock run demo                      in a notebook: the rest of the cell is the script\n"
            "exit code: the program's own; 128+n when signal n ended it; 127 no such program,\n"
            "126 it cannot be run, 125 mdock itself failed"
        ),
    ),
    Command(
        name="exec",
        summary="run a program in a running container",
        usage="[OPTIONS] ID [--] PROGRAM [ARGS...]",
        handler=exec_,
        configure=_exec_options,
        tail="argv",
        completes="running",
        own_exit_code=True,
        examples="  mdock exec c1 ls /\n  mdock exec -it c1 /bin/sh",
    ),
)
