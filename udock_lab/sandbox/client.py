"""``sandbox.run``: code that may fork, in a process of its own; what happened comes back as a result.

The notebook kernel forks nothing: its launcher starts a keeper, the keeper starts the runner.
"""

from __future__ import annotations

import ast
import codecs
import inspect
import os
import re
import select
import shutil
import signal
import socket
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from udock_lab.errors import LauncherDied, LetGo, MdockError, SandboxInterrupted, Unsupported, UsageError
from udock_lab.linux.process import proc_is_ours
from udock_lab.linux.strace import PROCESS_CALLS, TEACHING_CALLS
from udock_lab.model import ExitStatus, OutputChunk, SandboxProcess, SandboxResult, SystemCall
from udock_lab.runtime.connection import the_launcher
from udock_lab.runtime.messages import decode, encode
from udock_lab.sandbox.names import packed
from udock_lab.sandbox.reading import UNREADABLE, in_words
from udock_lab.sandbox.scratch import SHARED, remove
from udock_lab.sandbox.verdict import Evidence, notes, verdict
from udock_lab.wire.framing import receive, send
from udock_lab.wire.interrupts import Insistence, handled, is_ignored

__all__ = ["MEMORY", "PROCESSES", "TIMEOUT", "run"]

TIMEOUT = 10.0  # seconds
MEMORY = 2 << 30  # bytes of address space, per process
PROCESSES = 64  # at once
TOGETHER = 1 << 30  # bytes of memory that all processes behind walls may use at once
FILE_SIZE = 256 << 20  # bytes of one file (RLIMIT_FSIZE)
LEAST_MEMORY = 64 << 20  # Python itself and what it imports want some
MOST_SECONDS = 3600.0
PAUSE = 200  # milliseconds for which an interrupt may go unnoticed
MOST_PROCESSES = 1000

KEEPER = "import sys; sys.path.insert(0, sys.argv[1]); from udock_lab.sandbox.keeper import main; main(3)"

_PLAIN_ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/tmp", "LANG": "C.UTF-8"}
_utf8 = codecs.getincrementaldecoder("utf-8")  # a character may come in two pieces
# What unpickling says in a worker; from Python 3.14 on as of any module, so that the line above it must tell who asked.
_MISSED = re.compile(
    r"^AttributeError: Can't get attribute '(\w+)' on <module '__main__'"
    r"|pickle(?:\.load|r\.loads)\(.*\n(?: *[~^]+\n)?AttributeError: module '__main__' has no attribute '(\w+)'",
    re.MULTILINE | re.IGNORECASE,
)
OnOutput = Callable[[OutputChunk], None]


def run(
    what: str | Callable[..., object],
    *args: object,
    names: Mapping[str, object] | None = None,
    trace: bool = False,
    timeout: float = TIMEOUT,
    memory: int = MEMORY,
    processes: int = PROCESSES,
    cwd: str | os.PathLike[str] | None = None,
    watch: bool = True,
    shut: bool = False,
    inject: str = "",
    on_output: OnOutput | None = None,
) -> SandboxResult:
    """Run a function (with ``args``) or source text in a fresh process, never in this one.

    ``names`` are copied into it. ``trace`` keeps every system call that a lesson on containers talks about;
    without it strace still watches who forks, becomes another program, waits and ends (``watch=False``: nobody
    watches). ``timeout`` in seconds, ``memory`` in bytes of address space per process (RLIMIT_AS), ``processes``
    at once. The working directory is a scratch folder, or ``cwd``. ``on_output`` gets each chunk as it comes.

    ``shut`` adds walls for code that is not trusted (policy.py), as far as the machine permits;
    ``result.missing_walls`` says what it refused. ``inject`` is a fault for strace to inject (its ``--inject``).

    Whatever the code does, everything it started is gone within a second of its end. A failure of the code is a
    result, not an exception; UsageError for code that Python cannot read and names that cannot be copied.
    Unsupported where /proc does not show who is in the sandbox.
    """
    _check(timeout, memory, processes, cwd)
    if not proc_is_ours():
        raise Unsupported(
            "The sandbox finds its processes in /proc, and this pid namespace has none of its own mounted there.",
            "Start Python or Jupyter with one, without changing it for others: unshare --mount-proc COMMAND",
        )
    source, given, sources = _program(what, args, dict(names or {}))
    untraced, strace = _strace(watch or trace)
    request = {
        "source": source,
        "sources": sources,
        "cwd": os.path.abspath(cwd) if cwd is not None else "",
        "limits": {"RLIMIT_AS": memory, "RLIMIT_NPROC": processes, "RLIMIT_FSIZE": FILE_SIZE},
        "processes": processes,
        "timeout": timeout,
        "strace": strace,
        "shut": shut,
        "inject": inject,
        "together": TOGETHER if shut else 0,
        "untraced": untraced,
        "calls": list(TEACHING_CALLS if trace else PROCESS_CALLS),
        **_surroundings(shut),
    }
    chunks: list[OutputChunk] = []

    def take(chunk: OutputChunk) -> None:
        chunks.append(chunk)
        if on_output is not None:
            on_output(chunk)

    with _scratch(shut) as request["scratch"], _keeper(request, packed(given)) as conversation:
        report = _follow(conversation, take)
    return _result(report, chunks, request, trace)


def _check(timeout: float, memory: int, processes: int, cwd: str | os.PathLike[str] | None) -> None:
    """Bounds that make sense. Raises UsageError."""
    if not 0 < timeout <= MOST_SECONDS:
        raise UsageError(
            f"A sandbox ends after some seconds, {MOST_SECONDS:g} at most; {timeout:g} is none of that.",
            "Give for instance 30.",
        )
    if memory < LEAST_MEMORY:
        raise UsageError(
            f"Python itself needs {LEAST_MEMORY >> 20} MiB of address space; {memory:,} bytes are too few.",
            "Give for instance 256M (268435456 bytes).",
        )
    if not 1 <= processes <= MOST_PROCESSES:
        raise UsageError(
            f"A sandbox may have 1 to {MOST_PROCESSES} processes at once, not {processes}.", "Give for instance 64."
        )
    if cwd is not None and not os.path.isdir(cwd):
        raise UsageError(
            f"There is no folder {os.fspath(cwd)!r} to work in.", "Leave cwd out: a scratch folder is made."
        )


def _program(
    what: str | Callable[..., object], args: Sequence[object], names: dict[str, object]
) -> tuple[str, dict[str, object], dict[str, str]]:
    """Source, names, and the sources that a traceback may want to quote."""
    if isinstance(what, str):
        if args:
            raise UsageError("Source text takes no arguments.", "Give values by name: run(source, names={'n': 3})")
        try:
            ast.parse(what, "<sandbox>")
        except UNREADABLE as error:
            raise _unreadable(in_words(error), what) from None
        return what, names, {}
    if not callable(what):
        raise UsageError(f"The sandbox runs a function or source text, not {type(what).__name__}.")
    sources: dict[str, str] = {}
    with suppress(OSError, TypeError, *UNREADABLE):
        sources[inspect.getsourcefile(what) or ""] = "".join(inspect.findsource(what)[0])
    names |= {"__function__": what, "__arguments__": tuple(args)}
    return "__value__ = __function__(*__arguments__)", names, sources


def _unreadable(why: str, source: str) -> UsageError:
    """Nothing was run, and perhaps why."""
    hint = "Nothing was run."
    if any(line.lstrip()[:1] in ("%", "!", "?") for line in source.splitlines()):
        hint += " Lines that begin with % or ! belong to the notebook; a sandbox runs plain Python."
    elif _awaits_at_the_top(source):
        hint += " await outside a function belongs to the notebook; in a sandbox write asyncio.run(YOUR_FUNCTION())."
    return UsageError(f"Python cannot read this code: {why}.", hint)


def _awaits_at_the_top(source: str) -> bool:
    """Whether this is what only IPython's cells may do (ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)."""
    with suppress(*UNREADABLE):
        compile(source, "<sandbox>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
        return True
    return False


def _strace(wanted: bool) -> tuple[str, str]:
    """(why not, path): the keeper finds out whether the machine permits it."""
    if not wanted:
        return "nobody was asked to watch", ""
    path = shutil.which("strace")
    return ("", path) if path else ("strace is not installed. Get it with: sudo apt-get install strace", "")


def _surroundings(shut: bool) -> dict[str, Any]:
    """What the code would find out here, and finds in there too; but no secrets of ours behind walls."""
    here = ""
    with suppress(FileNotFoundError):  # somebody removed the folder that the notebook works in
        here = os.getcwd()
    return {
        "python": sys.executable,
        "folder": os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))),
        "path": [found for entry in sys.path if (found := entry or here)],
        "env": _PLAIN_ENVIRONMENT if shut else dict(os.environ),
    }


@contextmanager
def _scratch(shut: bool) -> Iterator[str]:
    """A folder that the keeper removes when all is over; and we do, should the keeper have died.

    ``shut``: where somebody else can come to it, since without walls the code will be somebody else.
    """
    place = tempfile.gettempdir()
    if shut and os.geteuid() == 0:
        place = next(filter(_is_open_to_all, (place, *SHARED)), place)
    folder = tempfile.mkdtemp(prefix="udock-sandbox-", dir=place)
    try:
        yield folder
    finally:
        if os.path.exists(folder):
            remove(folder)


def _is_open_to_all(folder: str) -> bool:
    """Others may pass each folder on the way to it (path_resolution(7))."""
    try:
        return all(os.stat(one).st_mode & stat.S_IXOTH for one in (Path(folder), *Path(folder).absolute().parents))
    except OSError:
        return False


@contextmanager
def _keeper(request: dict[str, Any], names: bytes) -> Iterator[socket.socket]:
    """A keeper at work, seen over its socket; when the socket is closed it ends whatever still runs."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    memory = os.memfd_create("udock-names")
    with ours:
        try:
            view = memoryview(names)
            while view:
                view = view[os.write(memory, view) :]
            os.lseek(memory, 0, os.SEEK_SET)
            with theirs:
                send(ours, encode(request), [memory])  # it waits there: should we die now, the keeper still cleans up
                argv = [sys.executable, "-I", "-S", "-c", KEEPER, request["folder"]]
                the_launcher().request({"op": "spawn", "argv": argv}, [theirs.fileno()])
        finally:
            os.close(memory)
        yield ours


def _follow(sock: socket.socket, take: OnOutput) -> dict[str, Any]:
    """Hand on output until the report; an interrupt ends the sandbox first and is raised afterwards."""
    decoders: dict[tuple[bytes, bytes], codecs.IncrementalDecoder] = {}
    with _interrupts(sock) as interrupted:
        while (data := _next(sock, interrupted))[:1] == b"o":
            head, _, text = data.partition(b"\n")
            pid, _, role = head[2:].partition(b" ")
            decoder = decoders.setdefault((head[1:2], pid), _utf8("replace"))
            stream = "stderr" if head[1:2] == b"e" else "stdout"
            take(OutputChunk(pid=int(pid), role=role.decode(), stream=stream, text=decoder.decode(text)))
    if interrupted.interrupts:
        raise SandboxInterrupted
    report: dict[str, Any] = decode(data[1:])
    return report


def _next(sock: socket.socket, interrupted: Insistence) -> bytes:
    """A message of the keeper: output, or the report. LauncherDied if there will be none."""
    ready = select.poll()
    ready.register(sock, select.POLLIN)
    while not ready.poll(PAUSE):  # a signal that came a moment before the wait is handled now
        if interrupted.insists:
            _let_go_of_who_is_stopped(interrupted)
    data, _ = receive(sock)
    if data[:1] in (b"o", b"j"):
        return data
    why = f": {data[1:].decode(errors='replace')}" if data else ""
    raise LauncherDied(f"The sandbox's keeper is gone{why}.", "Run the cell again; if it recurs: %mdock doctor")


def _let_go_of_who_is_stopped(interrupted: Insistence) -> None:
    """A third interrupt frees the caller where the keeper, or the launcher that is to start it, is stopped."""
    launcher = the_launcher()
    try:
        interrupted.let_go_of(launcher.helpers(), "The sandbox")
    except LetGo as let_go:
        if launcher.pid in let_go.stopped:
            launcher.abandon()
        raise


@contextmanager
def _interrupts(sock: socket.socket) -> Iterator[Insistence]:
    """SIGINT asks the keeper to stop. Main thread only; elsewhere nobody gets signals."""
    asked = Insistence()

    def interrupt(_number: int, _frame: object) -> None:
        asked.interrupt()
        with suppress(OSError):
            sock.send(b"stop")

    with handled({} if is_ignored(signal.SIGINT) else {signal.SIGINT: interrupt}):
        yield asked


def _result(report: dict[str, Any], chunks: list[OutputChunk], request: dict[str, Any], trace: bool) -> SandboxResult:
    _raise_unless_started(report, request)
    evidence = _evidence(report, request, chunks)
    roles = {process.pid: process.role for process in evidence.processes}
    return SandboxResult(
        processes=evidence.processes,
        output=tuple(_named(chunk, roles) for chunk in chunks),
        calls=tuple(call for call in evidence.calls if _of_interest(call)) if trace else (),
        verdict=verdict(evidence),
        exit_status=evidence.status,
        value=_value(report, evidence.processes),
        files={name: text.encode("latin-1") for name, text in report["files"].items()},
        identity=report["identity"],
        guard=report["guard"],
        untraced=report["untraced"],
        notes=notes(evidence),
        seconds=report["seconds"],
        shows_calls=trace,
        audits=tuple(report["audits"]),
        missing_walls=tuple(report["missing_walls"]),
        ended_by=report["ended_by"],
    )


def _evidence(report: dict[str, Any], request: dict[str, Any], chunks: Sequence[OutputChunk]) -> Evidence:
    status = report["first_status"]
    missed = _MISSED.search("".join(chunk.text for chunk in chunks if chunk.stream == "stderr"))
    return Evidence(
        processes=tuple(_process(fields) for fields in report["processes"]),
        calls=tuple(SystemCall(**fields) for fields in report["calls"]),
        status=ExitStatus(raw=status) if status is not None else None,
        ended_by=report["ended_by"],
        ends={int(pid): tuple(words) for pid, words in report["ends"].items()},
        collected=frozenset(report["collected"]),
        traced=not report["untraced"],
        timeout=request["timeout"],
        limit=request["processes"],
        memory=request["limits"]["RLIMIT_AS"],
        together=request["together"],
        signals_to_all=report["signals_to_all"],
        guard=report["guard"],
        written=report["written"],
        shown=report["shown"],
        calls_dropped=report["calls_dropped"],
        waits={int(pid): where for pid, where in report["waits"].items()},
        missed=missed[1] or missed[2] if missed else "",
    )


def _raise_unless_started(report: dict[str, Any], request: dict[str, Any]) -> None:
    """The code did not come to its first line. Raises MdockError, or UsageError where the names are to blame."""
    if report["ended_by"] == "start":
        raise MdockError("The sandbox did not start in time.", "Is the machine very busy? Run the cell again.")
    if report["unreadable"]:
        raise _unreadable(report["unreadable"], request["source"])
    why = report["broken"]
    if why.startswith("MemoryError"):
        raise UsageError(
            f"The names that this code uses and Python itself need more than {_mebibytes(request)} MiB.",
            "Give it more (--mem 4G), or make the data inside.",
        )
    if why:
        raise MdockError(f"The sandbox could not be prepared: {why}.", "A name that this code uses may be to blame.")


def _mebibytes(request: dict[str, Any]) -> int:
    return int(request["limits"]["RLIMIT_AS"]) >> 20


def _process(fields: dict[str, Any]) -> SandboxProcess:
    raw = fields.pop("status")
    return SandboxProcess(**fields, status=ExitStatus(raw=raw) if raw is not None else None)


def _named(chunk: OutputChunk, roles: dict[int, str]) -> OutputChunk:
    """With the role that is known at the end: a chunk may come before the news of its author's fork."""
    role = roles.get(chunk.pid, chunk.role)
    return chunk if role == chunk.role else OutputChunk(pid=chunk.pid, role=role, stream=chunk.stream, text=chunk.text)


_LIBRARIES = (sys.prefix, sys.base_prefix, "/usr/lib", "/lib", "/etc/ld.so", "/usr/share/locale", "/usr/local/lib")


def _of_interest(call: SystemCall) -> bool:
    """Opens of Python's own files and of shared libraries explain nothing in a lesson.

    Nor do a limit that is only read, and a call that the kernel makes a second time unseen by the program.
    """
    if call.errno == "ERESTARTNOINTR" or (call.name == "prlimit64" and ", NULL, {" in call.arguments):
        return False
    if "O_DIRECTORY" in call.arguments and any(f'"{entry}"' in call.arguments for entry in (os.getcwd(), *sys.path)):
        return False  # the import system looks for modules
    if call.name not in ("open", "openat"):
        return True
    path = call.arguments.partition('"')[2].partition('"')[0]
    return not path.startswith(_LIBRARIES) and not path.endswith((".py", ".pyc", ".so")) and "<sandbox>" not in path


def _value(report: dict[str, Any], found: tuple[SandboxProcess, ...]) -> object:
    """What the function returned: plain data comes back as itself, anything else as its repr.

    Nothing is unpickled: a pickle from the sandbox could run code out here.
    """
    words = report["ends"].get(str(found[0].pid)) if found else None
    if not words or not words[2]:
        return None
    try:
        return ast.literal_eval(words[2])
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return words[2]
