"""``%mydock`` in a notebook. What it needs is imported when it is first used: loading the extension stays quick."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Any

from IPython.core.magic import Magics, line_magic, magics_class, no_var_expand

from udock_lab.errors import UsageError

try:
    from IPython.core.completer import SimpleCompletion, context_matcher
except ImportError:  # before IPython 8.6 there are no such matchers: Colab has 7.34
    context_matcher = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from IPython.core.completer import CompletionContext, SimpleMatcherResult
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["MydockMagics", "load", "unload"]

COMMANDS = {
    "run": "run a program in an image through your functions: run [--timeout SECONDS] IMAGE [PROGRAM...]",
    "ps": "the table of containers as your functions wrote it",
    "reset": "begin anew: forget its tables and its image",
}
HELP = (
    "The functions that you wrote in the exercises, as a container runtime.\n\n"
    "    %mydock                which parts are yours, and where to write the others\n"
    + "".join(f"    %mydock {name:<15}{what}\n" for name, what in COMMANDS.items())
    + "\nA function that lives in this notebook goes first, then the one in the saved notebook of its exercise, then\n"
    "mdock's own. They run in the sandbox, in a home of their own; %mdock's containers are never touched.\n"
    "example:  %mydock run demo /bin/sh -c 'echo hello; exit 42'"
)
PROGRAM = "/bin/sh"


@magics_class
class MydockMagics(Magics):
    """The magic of a runtime that a learner wrote."""

    @line_magic
    @no_var_expand
    def mydock(self, line: str) -> object:
        words, quiet = _words(line)
        if words[:1] and words[0] in ("-h", "--help", "help"):
            print(HELP)
            return None
        if words and words[0] not in COMMANDS:
            from udock_lab.text.nearest import nearest

            near = nearest(words[0], COMMANDS)
            guess = f" Did you mean {near}?" if near else ""
            raise UsageError(
                f"%mydock has no command {words[0]!r}.{guess}",
                f"It has {', '.join(COMMANDS)}; mdock itself is %mdock {words[0]}.",
            )
        if words[1:] and words[0] != "run":
            raise UsageError(f"%mydock {words[0]} takes no more words.", f"Write: %mydock {words[0]}")
        value = self._done(words)
        return None if quiet else value

    mydock.__doc__ = HELP

    def _done(self, words: list[str]) -> object:
        from udock_lab.mydock import running, shown
        from udock_lab.mydock.parts import parts_here

        if words == ["ps"]:
            return shown.OwnTable(running.table_lines(), running.home())
        if words == ["reset"]:
            print("Its tables and its image are gone." if running.forget() else "There was nothing to forget.")
            return None
        parts = parts_here(self.shell.user_ns if self.shell is not None else {})
        return self._run(parts, words[1:]) if words else shown.Parts(parts)

    def _run(self, parts: Any, words: list[str]) -> object:
        from udock_lab.display.tagged import TaggedLines
        from udock_lab.mydock import running, shown
        from udock_lab.notebook.output import CellStreams
        from udock_lab.runtime.state.shortage import shortage_told

        timeout, image, argv = _asked(words)
        before = running.table_lines()
        output = CellStreams()
        tagged = TaggedLines(output.show)
        try:
            with shortage_told():
                result = running.run_program(parts, image, argv, timeout, tagged.take)
        finally:
            tagged.finish()
            output.finish()
        return shown.OwnRun(parts, result, before, running.table_lines())


def _words(line: str) -> tuple[list[str], bool]:
    """Split the line as a shell does; and whether it ends in IPython's ``;``, for a result that is not shown."""
    from udock_lab.commands.cellline import bare_words, without_semicolon

    try:
        words = shlex.split(line)
    except ValueError as error:
        raise UsageError(f"%mydock: the line cannot be split into words: {error}.", "Close the quotation.") from None
    words, _, quiet = without_semicolon(words, bare_words(line))
    return words, quiet


def _asked(words: list[str]) -> tuple[float, str, list[str]]:
    """Return seconds, image and the program's words of ``run``."""
    from udock_lab.commands.values import seconds
    from udock_lab.sandbox import TIMEOUT

    usage = "Write: %mydock run [--timeout SECONDS] IMAGE [PROGRAM...]"
    rest, timeout = list(words), float(TIMEOUT)
    while rest and rest[0].startswith("-") and rest[0] != "--":
        name, joined, value = rest.pop(0).partition("=")
        if name != "--timeout":
            raise UsageError(f"%mydock run has no option {name}; yours takes home, image and argv.", usage)
        if not joined and not rest:
            raise UsageError("%mydock run: --timeout needs a number of seconds.", usage)
        timeout = seconds(value if joined else rest.pop(0))
    rest = rest[1:] if rest[:1] == ["--"] else rest
    if not rest:
        raise UsageError("%mydock run: which image?", usage)
    argv = rest[2:] if rest[1:2] == ["--"] else rest[1:]
    return timeout, rest[0], argv or [PROGRAM]


_LINE = re.compile(r"(?:^|=)\s*%mydock\s+(.*)$")


def complete(context: CompletionContext) -> SimpleMatcherResult:
    """Complete subcommands, the option of run and the image after ``%mydock``."""
    line = context.line_with_cursor[: context.cursor_position]
    match = _LINE.search(line)
    words = match[1].split() if match else []
    current = words.pop() if match and words and not match[1][-1].isspace() else ""
    candidates: list[str] = []
    if match and not words:
        candidates = list(COMMANDS)
    elif words == ["run"]:
        candidates = ["--timeout"] if current.startswith("-") else ["demo"]
    found = [word for word in candidates if word.startswith(current)]
    return {
        "completions": [SimpleCompletion(text=word, type="command") for word in found],
        "matched_fragment": current,
        "suppress": bool(found),
        "ordered": True,
    }


if context_matcher is not None:
    complete = context_matcher(identifier="udock_lab.mydock")(complete)


def load(ip: InteractiveShell) -> None:
    """Register the magic and its completion; loading twice changes nothing."""
    unload(ip)
    ip.register_magics(MydockMagics)
    if context_matcher is not None:
        ip.Completer.custom_matchers.append(complete)


def unload(ip: InteractiveShell) -> None:
    """Take back what ``load`` registered."""
    ip.magics_manager.magics["line"].pop("mydock", None)
    matchers = [] if context_matcher is None else ip.Completer.custom_matchers
    if complete in matchers:
        matchers.remove(complete)
