"""``mdock`` in a terminal.

The container's output is stdout's and stderr's alone; mdock's own words go to stderr behind ``[mdock]``.
Exit codes: ``run`` and ``exec`` give the container's own, 125 when mdock itself failed (126, 127 when the
program could not be started); other commands 0, 1 for an error, 2 for wrong arguments, 125 too where mdock is at
fault; 130 after Ctrl-C, 141 when whoever reads the output has gone away.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from contextlib import suppress

from udock_lab.commands import COMMANDS, Context, Outcome, dispatch, require_linux
from udock_lab.commands.unexpected import without_debug
from udock_lab.errors import Interrupted, MdockError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

    from udock_lab.runtime.engine import Runtime

__all__ = ["command", "main"]

_INTERRUPTED = 128 + 2  # SIGINT
_NOBODY_READS = 128 + 13  # SIGPIPE


def command() -> NoReturn:
    """Run the program ``mdock``; without garbage collection in a life this short, or tidying up at its end."""
    gc.disable()
    _read_names_as_utf8()
    runtimes: list[Runtime] = []  # held to the end: one that is let go gives the signals back, and one would end us
    code = _main(sys.argv[1:], runtimes)
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            with suppress(OSError, ValueError):
                stream.flush()
    os._exit(code)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line (default ``sys.argv[1:]``) and return the exit code."""
    runtimes: list[Runtime] = []
    try:
        return _main(sys.argv[1:] if argv is None else argv, runtimes)
    finally:
        for runtime in runtimes:
            runtime.close()


def _main(words: Sequence[str], runtimes: list[Runtime]) -> int:
    """Run one command line; return the exit code.

    ``runtimes``: where to leave the one that was opened, for the caller to hold or to close.
    """
    try:
        return _run(list(words), runtimes)
    except Interrupted as interrupt:
        return 128 + interrupt.signal
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        return _NOBODY_READS


def _run(words: Sequence[str], runtimes: list[Runtime]) -> int:
    _open_standard_files()
    _keep_our_own_rights()
    context: Context | None = None
    words, debug = without_debug(words)
    try:
        require_linux()
        from udock_lab.linux.dispositions import hear_of_children

        hear_of_children()
        context = _context(runtimes)
        outcome = dispatch(words, context)
        _show(outcome)
        code = outcome.exit_code
    except MdockError as error:
        _note(str(error))
        code = _exit_code(words, error)
    except BrokenPipeError:
        raise
    except Exception as error:  # the last catch: a traceback of ours helps nobody who did not ask for it
        code = _unforeseen(error, words, debug)
    for sentence in context.complaints() if context else ():
        _note(sentence)
    return code


def _context(runtimes: list[Runtime]) -> Context:
    def open_runtime() -> Runtime:
        runtimes.append(_open_runtime())
        return runtimes[-1]

    return Context(
        open_runtime,
        _write,
        _note,
        environ=os.environ,
        stdin=0,
        in_background=_in_background(),
        stdin_is_terminal=os.isatty(0),
        stderr_is_terminal=os.isatty(2),
        at_terminal=_at_terminal(),
        one_output=_are_one_file(1, 2),
    )


def _at_terminal() -> bool:
    """Return whether input and output are one person's.

    Nothing was redirected (``2> errors`` is), and there is no ``&``.
    """
    return all(os.isatty(fd) for fd in (0, 1, 2)) and not _in_background()


def _are_one_file(first: int, second: int) -> bool:
    """Return whether both are one file, as after ``2>&1``: then it matters which is written first."""
    return os.path.sameopenfile(first, second)


def _in_background() -> bool:
    """Return whether the shell runs us as a job with ``&``: then the keys are the shell's (tcgetpgrp(3))."""
    try:
        return os.tcgetpgrp(0) != os.getpgrp()
    except OSError:
        return False  # no terminal, or not the one of our session


def _open_runtime() -> Runtime:
    from udock_lab.runtime.engine import Runtime

    return Runtime(forked=True)


def _exit_code(words: Sequence[str], error: MdockError) -> int:
    command = COMMANDS.get(words[0]) if words else None
    if command is None:
        return 2 if isinstance(error, UsageError) else 1
    return command.exit_code_of(error)


def _unforeseen(error: Exception, words: Sequence[str], debug: bool) -> int:
    from udock_lab.commands.unexpected import in_words

    if debug:
        import traceback

        _note(traceback.format_exc())
    told = in_words(error, words)
    _note(str(told))
    return _exit_code(words, told) if isinstance(error, OSError) else MdockError.exit_code


def _show(outcome: Outcome) -> None:
    value = outcome.value
    if value is None or outcome.shown:
        return
    if not isinstance(value, str):
        from udock_lab.commands.results import tell

        value = tell(value)
    if value:
        _write("stdout", value.encode("utf-8", "backslashreplace") + b"\n")


def _note(text: str) -> None:
    """Say something in mdock's own voice: stderr, ``[mdock]`` before every line.

    Where it cannot be written (a full disk, nobody there), the exit code alone says it.
    """
    from udock_lab.text.terminal import printable

    lines = "".join(f"[mdock] {printable(line)}\n" for line in text.splitlines())
    with suppress(OSError):
        _write("stderr", lines.encode("utf-8", "backslashreplace"))


def _write(stream: str, data: bytes) -> None:
    """Write all of it, also to a pipe or a terminal that was made non-blocking.

    With nothing to write, find out whether it is still read.
    """
    fd = 2 if stream == "stderr" else 1
    if not data and _nobody_reads(fd):
        raise BrokenPipeError
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(fd, view) :]
        except BlockingIOError:
            import select

            room = select.poll()  # select(2) knows no descriptor from 1,024 on
            room.register(fd, select.POLLOUT)
            room.poll()


def _nobody_reads(fd: int) -> bool:
    """Return whether the other end of a pipe is closed (poll(2): POLLERR)."""
    import select

    end = select.poll()
    end.register(fd, 0)
    return any(events & select.POLLERR for _, events in end.poll(0))


def _read_names_as_utf8() -> None:
    """Read the tables of a home as UTF-8 in every locale: start Python again where it would read file names otherwise.

    Plain ``LC_ALL=C`` is no such case (PEP 540); a Latin-1 locale is, or PYTHONUTF8=0.
    """
    if sys.getfilesystemencoding() != "utf-8" and sys.executable:
        with suppress(OSError):
            os.execv(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]])


def _open_standard_files() -> None:
    """Open /dev/null for each standard file that the caller closed, so that no other file takes its number."""
    for fd in (0, 1, 2):
        try:
            os.fstat(fd)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


def _keep_our_own_rights() -> None:
    """Keep our own permissions out of the umask: a home made under 0177 could never be read again, even by us."""
    os.umask(os.umask(0o077) & ~0o700)


if __name__ == "__main__":
    command()
