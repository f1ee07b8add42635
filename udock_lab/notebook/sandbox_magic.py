"""``%%sandbox`` in a notebook: the cell runs in a disposable process, never in the kernel."""

from __future__ import annotations

import argparse
import keyword
import shlex
from typing import TYPE_CHECKING

from IPython.core.inputtransformer2 import classic_prompt, ipython_prompt, leading_indent
from IPython.core.magic import Magics, line_cell_magic, magics_class, no_var_expand

from udock_lab.commands.cellline import bare_words, without_semicolon
from udock_lab.commands.parsing import CommandParser
from udock_lab.commands.values import count, seconds, size
from udock_lab.display.tagged import TaggedLines
from udock_lab.errors import UsageError
from udock_lab.model import SandboxResult
from udock_lab.notebook.output import CellStreams, shows_the_value
from udock_lab.runtime.state.shortage import shortage_told
from udock_lab.sandbox import MEMORY, PROCESSES, TIMEOUT, names_used, run
from udock_lab.sandbox.bounds import MOST_PROCESSES, MOST_SECONDS
from udock_lab.text.nearest import nearest
from udock_lab.text.unreadable import UNREADABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["SandboxMagics", "parser"]

USAGE = "%%sandbox [--trace] [--timeout SECONDS] [--mem SIZE] [--procs N] [-o NAME]"
EXAMPLES = """example:
  %%sandbox --trace -o result
  import os
  pid = os.fork()
  if pid == 0:
      os.execv("/bin/echo", ["echo", "hello"])
  os.waitpid(pid, 0)"""


def parser() -> argparse.ArgumentParser:
    """Return the parser of the options of ``%%sandbox``."""
    made = CommandParser(
        prog="%%sandbox",
        usage=USAGE.replace("%", "%%"),
        description="Run this cell in a process of its own. Names of the notebook that it uses are copied in; "
        "nothing comes back but what it prints and the result.",
        epilog=EXAMPLES.replace("%", "%%"),
        allow_abbrev=False,
        add_help=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("-h", "--help", action="store_true", help="show this help")
    made.add_argument(
        "--trace",
        action="store_true",
        help="show the system calls of every process in it, and step through its lines (strace)",
    )
    made.add_argument(
        "--timeout",
        type=seconds,
        default=TIMEOUT,
        metavar="SECONDS",
        help=f"end it after so long (default {TIMEOUT:g}, at most {MOST_SECONDS:g})",
    )
    made.add_argument(
        "--mem",
        type=size,
        default=MEMORY,
        metavar="SIZE",
        help="address space of each process (default 2G, at least 64M)",
    )
    made.add_argument(
        "--procs",
        type=count,
        default=PROCESSES,
        metavar="N",
        help=f"processes at once (default {PROCESSES}, at most {MOST_PROCESSES})",
    )
    made.add_argument("-o", "--out", metavar="NAME", help="keep the result under this name of the notebook")
    return made


@magics_class
class SandboxMagics(Magics):
    """``%%sandbox``; ``%sandbox`` alone shows its help."""

    @line_cell_magic
    @no_var_expand
    def sandbox(self, line: str, cell: str | None = None) -> SandboxResult | None:
        options, quiet = _options(line)
        if options.help or cell is None:
            print(parser().format_help())
            return None
        code = _as_a_cell_is_read(cell)
        output = CellStreams()
        tagged = TaggedLines(output.show)
        try:
            with shortage_told():
                result = run(
                    code,
                    names=_names(code, self.shell),
                    trace=options.trace,
                    lines=options.trace,
                    timeout=options.timeout,
                    memory=options.mem,
                    processes=options.procs,
                    on_output=tagged.take,
                )
        finally:
            tagged.finish()
            output.finish()
        if options.out and self.shell is not None:
            self.shell.user_ns[options.out] = result
        return None if quiet and shows_the_value() else result

    sandbox.__doc__ = f"Run this cell in a process of its own, where it may fork.\n\n{parser().format_help()}"


_TAKEN_OFF: tuple[Callable[[list[str]], list[str]], ...] = (leading_indent, classic_prompt, ipython_prompt)


def _as_a_cell_is_read(cell: str) -> str:
    """Return the code without what IPython takes off any cell: a common indent, prompts that were pasted."""
    lines = cell.splitlines(keepends=True)
    for without in _TAKEN_OFF:
        lines = without(lines)
    return "".join(lines)


def _options(line: str) -> tuple[argparse.Namespace, bool]:
    """Parse the line; return its options, and whether it ends in IPython's ``;``, for a result that is not shown."""
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise UsageError(f"%%sandbox: the line cannot be split into words: {error}.", f"Usage: {USAGE}") from None
    words, _, quiet = without_semicolon(words, bare_words(line))
    made = parser()
    _refuse_unknown(words, made._option_string_actions)
    options, rest = made.parse_known_args(words)
    if rest:
        raise UsageError(f"%%sandbox takes no {rest[0]!r} here; the code goes into the lines below.", f"Usage: {USAGE}")
    if options.out is not None and (not options.out.isidentifier() or keyword.iskeyword(options.out)):
        raise UsageError(f"%%sandbox -o {options.out}: that is no name of Python.", "Write for instance -o result.")
    return options, quiet


def _refuse_unknown(words: Sequence[str], known: dict[str, argparse.Action]) -> None:
    for word in words:
        name = word.partition("=")[0]
        if name.startswith("-") and not name[1:2].isdigit() and name not in known and name[:2] != "-o":
            near = nearest(name, known)
            guess = f" Did you mean {near}?" if near else ""
            raise UsageError(f"%%sandbox: unknown option {name}.{guess}", f"Usage: {USAGE}")


def _names(cell: str, shell: InteractiveShell | None) -> dict[str, object]:
    """Return those names of the notebook that the cell reads.

    IPython's own (In, Out, get_ipython, ...) stay here.
    """
    if shell is None:
        return {}
    try:
        used = names_used(cell)
    except UNREADABLE:
        return {}  # run() says what is wrong with it
    own = shell.user_ns_hidden
    return {
        name: shell.user_ns[name]
        for name in sorted(used)
        if name in shell.user_ns and own.get(name, _ABSENT) is not shell.user_ns[name]
    }


_ABSENT = object()
