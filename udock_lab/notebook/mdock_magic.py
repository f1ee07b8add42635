"""``%mdock`` and ``%%mdock`` in a notebook: the same commands, results instead of exit codes."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from IPython.core.magic import Magics, line_cell_magic, magics_class, no_var_expand

from udock_lab.commands import COMMANDS, Context, Outcome, dispatch, overview
from udock_lab.commands.cellline import bare_words, refuse_shell_words, without_semicolon
from udock_lab.commands.parsing import split_words
from udock_lab.commands.results import Containers, Images, Inspections, Lines, Text, tell
from udock_lab.commands.unexpected import in_words, without_debug
from udock_lab.display.html.figure import figure_html
from udock_lab.errors import Interrupted, MdockError, UsageError
from udock_lab.model import (
    Container,
    DoctorReport,
    ExitStatus,
    Image,
    Inspection,
    ProcessNode,
    Record,
    RunResult,
    SandboxResult,
)
from udock_lab.notebook.fork_guard import guard_kernel, let_go
from udock_lab.notebook.load_ext import loads_as_before, loads_quietly
from udock_lab.notebook.output import CellOutput, shows_the_value, signals_own
from udock_lab.notebook.sandbox_magic import SandboxMagics
from udock_lab.runtime.client.connection import the_launcher
from udock_lab.runtime.kept import close_runtimes, runtime_here
from udock_lab.sandbox.keepers import let_spare_go

try:
    from IPython.core.completer import SimpleCompletion, context_matcher
except ImportError:  # before IPython 8.6 there are no such matchers: Colab has 7.34
    context_matcher = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from IPython.core.completer import CompletionContext, SimpleMatcherResult
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["MdockMagics", "load", "unload"]


@magics_class
class MdockMagics(Magics):
    """The magics of udock-lab."""

    @line_cell_magic
    @no_var_expand
    def mdock(self, line: str, cell: str | None = None) -> object:
        words, bare = split_words(line), bare_words(line)
        words, debug = without_debug(words)
        bare = bare[len(bare) - len(words) :]
        words, bare, quiet = without_semicolon(words, bare)
        if words:
            refuse_shell_words(COMMANDS.get(words[0]), words, bare)
        asks_help = not words or any(word in ("-h", "--help", "help") for word in words[:2])
        if cell is not None and not asks_help and words[0] != "run":
            raise UsageError(
                f"%%mdock {words[0]}: only run takes a script from the cell.",
                f"Write %mdock {words[0]} ... with one percent sign, or %%mdock run IMAGE above the script.",
            )
        output = CellOutput()
        context = Context(
            runtime_here,
            output.write,
            output.note,
            environ=os.environ,
            stdin=None if cell is None else cell.encode("utf-8", "surrogatepass"),
            in_cell=True,
            bare_words=bare,
        )
        outcome, interrupted = Outcome(), ""
        try:
            outcome = dispatch(words, context)
        except Interrupted as interrupt:
            interrupted = interrupt.container_id
            raise
        except KeyboardInterrupt:  # raised also where nothing is lost: cells that wait for this one must not run
            follows = words[:1] == ["logs"]
            said = "no longer following; the container itself was not touched" if follows else ""
            raise Interrupted(said or f"mdock {words[0]} was interrupted") from None
        except MdockError:
            raise
        except Exception as error:  # the last catch: no traceback of ours helps a learner
            if debug or signals_own(error):
                raise
            raise in_words(error, words, "%mdock") from error
        finally:
            output.finish(_where_the_rest_is(words, outcome.value, interrupted))
        for sentence in context.complaints():
            output.note(sentence)
        value = _value_of(outcome)
        return None if quiet and shows_the_value() else value

    mdock.__doc__ = (
        "Run an mdock command in this notebook.\n\n"
        "    %mdock COMMAND ...              one line, and its result: r = %mdock run demo -- /bin/true\n"
        "    %%mdock run IMAGE [PROGRAM...]  the rest of the cell is the program's standard input,\n"
        "                                    a script when the program is /bin/sh (the default)\n\n"
        "No shell and no variable is read on the line: |, >, ;, #, $name and {expr} are words like any other.\n"
        "Before the image they are refused; behind it they reach the program as they are. Quote what is meant so:\n"
        "    %mdock run demo -- sh -c 'ls / | head'\n"
        "A ; at the very end is IPython's: the result is not shown.\n"
        "A failing mdock command raises; a container's non-zero exit is a result.\n\n" + overview()
    )


def _where_the_rest_is(words: list[str], value: object, interrupted: str) -> str:
    container_id = value.id if isinstance(value, RunResult) else interrupted
    if container_id:
        return f"output continues in logs/{container_id}.log — %mdock logs {container_id}"
    if words[:1] == ["logs"]:
        return f"output continues in logs/{words[-1]}.log — %mdock logs --tail 100 {words[-1]}"
    return "output continues in the container's log — %mdock ps names it, %mdock logs ID shows it"


def _value_of(outcome: Outcome) -> object:
    """Return what the cell gets: the value; raise the exception where a command failed for one of its arguments."""
    if outcome.errors:
        if isinstance(outcome.value, Lines | Inspections) and outcome.value:
            print(outcome.value)
        if len(outcome.errors) == 1:
            raise outcome.errors[0]
        raise MdockError("\n".join(str(error) for error in outcome.errors))
    return Text(outcome.value) if type(outcome.value) is str else outcome.value


_COMMAND_LINE = re.compile(r"(?:^|=)\s*%%?mdock\s+(.*)$")


def complete(context: CompletionContext) -> SimpleMatcherResult:
    """Complete subcommands, options, images and containers after ``%mdock``."""
    from udock_lab.commands.completing import candidates

    line = context.line_with_cursor[: context.cursor_position]
    match = _COMMAND_LINE.search(line)
    if match is None:
        return {"completions": []}
    words = match[1].split()
    current = words.pop() if words and not match[1][-1].isspace() else ""
    try:
        found = candidates(words, current, runtime_here)
    except (MdockError, OSError):
        found = []  # Tab is no place for an error message; the command itself will say it.
    return {
        "completions": [SimpleCompletion(text=text, type=kind) for text, kind in found],
        "matched_fragment": current,
        "suppress": bool(found),
        "ordered": True,
    }


if context_matcher is not None:
    complete = context_matcher(identifier="udock_lab.mdock")(complete)


_SHOWN = (Container, DoctorReport, ExitStatus, Image, Inspection, ProcessNode, Record, RunResult, SandboxResult)
_TEXT_ONLY = (Text, Lines, Images, Containers, Inspections)  # the listings bring their own HTML
_ROOTFS_REPORT = ("udock_lab.runtime.image.rootfs", "RootfsReport")  # by name: rarely asked for, so not imported
_FIGURE = ("matplotlib.figure", "FigureBase")  # matplotlib's inline backend takes away what is known of Figure


def _plain(value: object, printer: Any, cycle: bool) -> None:
    printer.text(tell(value))


def _html(value: object) -> str | None:
    from udock_lab.display.html.forms import to_html

    return to_html(value)


def load(ip: InteractiveShell) -> None:
    """Register magic, completion and formatters, and start the launcher; loading twice changes nothing."""
    _unregister(ip)
    guard_kernel()
    loads_quietly(ip)
    ip.register_magics(MdockMagics, SandboxMagics)
    _custom_matchers(ip).append(complete)
    text, page = _formatters(ip)
    for kind in (*_SHOWN, *_TEXT_ONLY):
        text.for_type(kind, _plain)
    text.for_type_by_name(*_ROOTFS_REPORT, _plain)
    for kind in _SHOWN:
        page.for_type(kind, _html)
    page.for_type_by_name(*_FIGURE, figure_html)
    with suppress(OSError, MdockError):  # no process is left: the first run, which needs it, says so
        the_launcher().start()  # it gets ready while the learner reads


def unload(ip: InteractiveShell) -> None:
    """Take back what ``load`` registered, close the runtimes and let the launcher go; detached containers run on."""
    let_go()
    loads_as_before(ip)
    _unregister(ip)
    close_runtimes()
    let_spare_go()
    the_launcher().close()


def _unregister(ip: InteractiveShell) -> None:
    for where in ("line", "cell"):
        for name in ("mdock", "sandbox"):
            ip.magics_manager.magics[where].pop(name, None)
    if complete in _custom_matchers(ip):
        _custom_matchers(ip).remove(complete)
    for formatter in _formatters(ip):
        for kind in (*_SHOWN, *_TEXT_ONLY, ".".join(_ROOTFS_REPORT), ".".join(_FIGURE)):
            formatter.pop(kind, None)


def _custom_matchers(ip: InteractiveShell) -> list[Any]:
    """Return where Tab looks too; an IPython without context matchers has no place for ours."""
    return [] if context_matcher is None else ip.Completer.custom_matchers


def _formatters(ip: InteractiveShell) -> tuple[Any, Any]:
    if ip.display_formatter is None:
        raise UsageError("This IPython shows nothing, so mdock cannot either.", "Use a notebook or ipython.")
    formatters = ip.display_formatter.formatters
    return formatters["text/plain"], formatters["text/html"]
