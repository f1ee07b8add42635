"""What a command is, what it is given, and what it gives back.

Nothing heavy is imported here: ``mdock --help`` reads this file and little else.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence

from udock_lab.errors import MdockError, Unsupported

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from udock_lab.runtime.engine import Runtime

__all__ = ["COMMANDS", "LINUX_ONLY", "Command", "Context", "Outcome", "require_linux"]

LINUX_ONLY = (
    "mdock needs Linux, because containers are made of Linux system calls: "
    "open this folder in a dev container, use a Linux virtual machine (VM), or on Windows use WSL2."
)


def require_linux() -> None:
    """Raise Unsupported, in one sentence, on anything but Linux."""
    if not sys.platform.startswith("linux"):
        raise Unsupported(LINUX_ONLY)


class Outcome:
    """What a command came to.

    ``value`` is an object of the model (or of ``commands.results``) that the face displays, None when
    there is nothing to show. ``errors`` are those of single arguments (``stop c1 c2``): the others were
    still done. ``shown`` says that a terminal has seen the value already.
    """

    __slots__ = ("errors", "exit_code", "shown", "value")

    def __init__(
        self, *, exit_code: int = 0, value: object = None, errors: tuple[MdockError, ...] = (), shown: bool = False
    ) -> None:
        self.exit_code, self.value, self.errors, self.shown = exit_code, value, errors, shown


class Context:
    """The face a command talks to: where its words go and whether a person sits at a terminal.

    ``out(stream, data)`` takes raw bytes for ``"stdout"`` or ``"stderr"``; ``note(text)`` says something in
    mdock's own voice, behind ``[mdock]``. ``stdin`` is a file descriptor to inherit, the bytes of a cell's
    script, or None for nothing at all. ``at_terminal``: a person looks at the output and types the input, so
    that a program in the foreground gets a terminal of its own. ``in_background``: the shell runs this as a job with
    ``&``, and the terminal's keys are the shell's. ``one_output``: what goes to ``"stdout"`` and to ``"stderr"`` comes
    to the same file in the end (``2>&1``), so that its order matters. ``bare_words``: the words of a
    cell's line without what was quoted (:func:`udock_lab.commands.cellline.bare_words`).
    """

    def __init__(
        self,
        open_runtime: Callable[[], Runtime],
        out: Callable[[str, bytes], None],
        note: Callable[[str], None],
        *,
        environ: Mapping[str, str],
        stdin: int | bytes | None = None,
        in_cell: bool = False,
        stdin_is_terminal: bool = False,
        stderr_is_terminal: bool = False,
        at_terminal: bool = False,
        in_background: bool = False,
        one_output: bool = False,
        bare_words: Sequence[str] = (),
    ) -> None:
        self._open_runtime = open_runtime
        self._runtime: Runtime | None = None
        self.out = out
        self.note = note
        self.environ = environ
        self.stdin = stdin
        self.in_cell = in_cell
        self.bare_words = bare_words
        self.stdin_is_terminal = stdin_is_terminal
        self.stderr_is_terminal = stderr_is_terminal
        self.at_terminal = at_terminal
        self.in_background = in_background
        self.one_output = one_output

    @property
    def runtime(self) -> Runtime:
        """The runtime, opened when the first command asks for it."""
        if self._runtime is None:
            self._runtime = self._open_runtime()
        return self._runtime

    def complaints(self) -> list[str]:
        """Return sentences about damaged records; none while no command has opened the runtime."""
        return self._runtime.complaints() if self._runtime is not None else []

    def succeeded(self, line: str) -> None:
        """Say on a terminal, at once, that one of several arguments is done (a cell shows the value)."""
        if not self.in_cell:
            self.out("stdout", line.encode("utf-8", "surrogateescape") + b"\n")

    def failed(self, error: MdockError) -> None:
        """Say on a terminal, at once, that one of several arguments failed (a cell raises it)."""
        if not self.in_cell:
            self.note(str(error))


class Command:
    """One subcommand, defined once for the terminal, the magics, the completion and the tests.

    ``summary`` is its line of the overview, ``usage`` what follows "mdock NAME". ``tail``: where the words after the
    first argument go, untouched (run, exec). ``completes``: "image", "container", "running" (ones) or "both", what the
    arguments name; ``words``: what each may be, where that is known beforehand. ``own_exit_code``: it exits with the
    container's code, 125 when mdock itself failed.
    """

    def __init__(
        self,
        *,
        name: str,
        summary: str,
        usage: str,
        handler: Callable[[Namespace, Context], Outcome],
        configure: Callable[[ArgumentParser], None] | None = None,
        examples: str = "",
        tail: str = "",
        completes: str = "",
        words: tuple[tuple[str, ...], ...] = (),
        own_exit_code: bool = False,
    ) -> None:
        self.name, self.summary, self.usage, self.examples = name, summary, usage, examples
        self.handler, self.configure, self.tail = handler, configure, tail
        self.completes, self.words, self.own_exit_code = completes, words, own_exit_code

    def exit_code_of(self, error: MdockError) -> int:
        """Return what the terminal exits with after ``error`` (docker's convention for run and exec)."""
        from udock_lab.errors import UsageError

        if self.own_exit_code:
            return error.exit_code
        return 2 if isinstance(error, UsageError) else 1


COMMANDS: dict[str, Command] = {}  # all by name; the package fills it from the files that define them
