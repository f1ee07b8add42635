"""From the keeper's report to the result: what is of interest, in words, or why there is none."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from udock_lab.errors import MdockError, UsageError
from udock_lab.model import NotebookCell, OutputChunk, SandboxResult
from udock_lab.sandbox.interest import of_interest
from udock_lab.sandbox.messages import Report, Request
from udock_lab.sandbox.program import unreadable
from udock_lab.sandbox.verdict import Evidence, notes, verdict

__all__ = ["make_result"]

# What unpickling says in a worker; from Python 3.14 on as of any module, so that the line above it must tell who asked.
_MISSED = re.compile(r"AttributeError: Can't get attribute '(\w+)' on <module '__main__'")
_MISSED_NOW = re.compile(r"AttributeError: module '__main__' has no attribute '(\w+)'")
_ASKED_BY = ("pickle.load(", "pickler.loads(")


def make_result(
    report: Report,
    chunks: Sequence[OutputChunk],
    request: Request,
    cells: tuple[NotebookCell, ...] = (),
    *,
    trace: bool,
) -> SandboxResult:
    """Build it. MdockError, or UsageError where the names are to blame, if the code did not come to its first line."""
    _raise_unless_started(report, request)
    evidence = _evidence(report, request, chunks)
    roles = {process.pid: process.role for process in report.processes}
    return SandboxResult(
        processes=report.processes,
        output=tuple(_named(chunk, roles) for chunk in chunks),
        calls=of_interest(report.calls, [request.source, *(cell.text for cell in cells)]) if trace else (),
        verdict=verdict(evidence),
        exit_status=report.status,
        value=_value(report),
        files=report.files,
        identity=report.identity,
        guard=report.guard,
        untraced=report.untraced,
        notes=notes(evidence),
        seconds=report.seconds,
        shows_calls=trace,
        audits=report.audits,
        missing_isolation=report.missing_isolation,
        ended_by=report.ended_by,
        source=request.source if request.lines else "",
        begun=report.begun,
        cells=cells,
    )


def _evidence(report: Report, request: Request, chunks: Sequence[OutputChunk]) -> Evidence:
    return Evidence(
        processes=report.processes,
        calls=report.calls,
        status=report.status,
        ended_by=report.ended_by,
        ends=report.ends,
        collected=report.collected,
        traced=not report.untraced,
        timeout=request.timeout,
        limit=request.limits.processes,
        memory=request.limits.address_space,
        together=request.together,
        signals_to_all=report.signals_to_all,
        guard=report.guard,
        written=report.written,
        shown=report.shown,
        calls_dropped=report.calls_dropped,
        waits=report.waits,
        missed=_missed("".join(chunk.text for chunk in chunks if chunk.stream == "stderr")),
    )


def _missed(stderr: str) -> str:
    """Return the name that a worker did not find. Line by line: whoever wrote this may want a search without an end."""
    above = ""
    for line in stderr.split("\n"):
        asked = any(words in above.lower() for words in _ASKED_BY)
        if found := _MISSED.match(line) or (asked and _MISSED_NOW.match(line)):
            return found[1]
        if line.strip(" ~^"):  # else it underlines what stands above it
            above = line
    return ""


def _raise_unless_started(report: Report, request: Request) -> None:
    if report.ended_by == "start":
        raise MdockError("The sandbox did not start in time.", "Is the machine very busy? Run the cell again.")
    if report.unreadable:
        raise unreadable(report.unreadable, request.source)
    if report.broken.startswith("MemoryError"):
        raise UsageError(
            f"The names that this code uses and Python itself need more than {request.limits.address_space >> 20} MiB.",
            "Give it more (--mem 4G), or make the data inside.",
        )
    if report.broken:
        raise MdockError(
            f"The sandbox could not be prepared: {report.broken}.", "A name that this code uses may be to blame."
        )


def _named(chunk: OutputChunk, roles: dict[int, str]) -> OutputChunk:
    """Return the chunk with the role that is known at the end.

    A chunk may come before the news of its author's fork.
    """
    role = roles.get(chunk.pid, chunk.role)
    return chunk if role == chunk.role else OutputChunk(pid=chunk.pid, role=role, stream=chunk.stream, text=chunk.text)


def _value(report: Report) -> object:
    """Return what the function returned: plain data comes back as itself, anything else as its repr.

    Nothing is unpickled: a pickle from the sandbox could run code out here.
    """
    end = report.ends.get(report.processes[0].pid) if report.processes else None
    if end is None or not end.value:
        return None
    try:
        return ast.literal_eval(end.value)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return end.value
