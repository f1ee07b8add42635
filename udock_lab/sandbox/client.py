"""``sandbox.run``: code that may fork, in a process of its own; what happened comes back as a result.

The notebook kernel forks nothing: its launcher starts a keeper, the keeper starts the runner.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence

from udock_lab.errors import Unsupported
from udock_lab.linux.process import proc_is_ours
from udock_lab.model import OutputChunk, SandboxResult
from udock_lab.sandbox.bounds import FILE_SIZE, MEMORY, PROCESSES, TIMEOUT, check_bounds
from udock_lab.sandbox.cells import cells_of
from udock_lab.sandbox.following import a_keeper, follow
from udock_lab.sandbox.messages import Limits
from udock_lab.sandbox.names import packed
from udock_lab.sandbox.preparing import make_request, scratch_folder
from udock_lab.sandbox.program import read_program
from udock_lab.sandbox.result import make_result

TYPE_CHECKING = False
if TYPE_CHECKING:
    from threading import Event

__all__ = ["MEMORY", "PROCESSES", "TIMEOUT", "run"]


def run(
    what: str | Callable[..., object],
    *args: object,
    names: Mapping[str, object] | None = None,
    trace: bool = False,
    calls: Sequence[str] = (),
    timeout: float = TIMEOUT,
    memory: int = MEMORY,
    processes: int = PROCESSES,
    cwd: str | os.PathLike[str] | None = None,
    watch: bool = True,
    shut: bool = False,
    inject: str = "",
    lines: bool = False,
    on_output: Callable[[OutputChunk], None] | None = None,
    stopping: Event | None = None,
) -> SandboxResult:
    """Run a function (with ``args``) or source text in a fresh process, never in this one.

    ``names`` are copied into it. ``trace`` keeps every system call that a lesson on containers talks about, or of these
    the ``calls`` that are named; without it strace still watches who forks, becomes another program, waits and ends
    (``watch=False``: nobody watches). With ``lines`` each call of a trace carries the line that made it, of the source
    text or of the notebook's cell that a function in ``names`` is from; reads and writes are told too, and the result
    has what each line changed; not of a function, nor of code that is shut in, which could write what it likes there.
    ``timeout`` in seconds, ``memory`` in bytes of address space per process (RLIMIT_AS), ``processes`` at once. The
    working directory is a scratch folder, or ``cwd``. ``on_output`` gets each chunk as it comes.

    ``shut`` isolates code that is not trusted (policy.py), as far as the machine permits;
    ``result.missing_isolation`` says what it refused. ``inject`` is a fault for strace to inject (its ``--inject``).
    When another thread sets ``stopping``, the sandbox ends and SandboxInterrupted is raised, as at an interrupt.

    Whatever the code does, everything it started is gone within a second of its end. A failure of the code is a
    result, not an exception; UsageError for code that Python cannot read and names that cannot be copied.
    Unsupported where /proc does not show who is in the sandbox.
    """
    check_bounds(timeout, memory, processes, cwd)
    if not proc_is_ours():
        raise Unsupported(
            "The sandbox finds its processes in /proc, and this pid namespace has none of its own mounted there.",
            "Start Python or Jupyter with one, without changing it for others: unshare --mount-proc COMMAND",
        )
    source, given, sources = read_program(what, args, dict(names or {}))
    copied = packed(given)
    lines = lines and trace and isinstance(what, str) and not shut
    cells = cells_of(given) if lines else {}
    limits = Limits(address_space=memory, processes=processes, file_size=FILE_SIZE)
    chunks: list[OutputChunk] = []

    def take(chunk: OutputChunk) -> None:
        chunks.append(chunk)
        if on_output is not None:
            on_output(chunk)

    with scratch_folder(shut=shut) as scratch:
        request = make_request(
            source, sources, scratch,
            cwd=cwd, limits=limits, timeout=timeout, watch=watch, trace=trace, calls=calls, inject=inject, shut=shut,
            lines=lines, files=tuple(cells),
        )  # fmt: skip
        with a_keeper(request, copied) as keeper:
            report = follow(keeper, take, stopping)
    return make_result(report, chunks, request, tuple(cells.values()), trace=trace)
