"""A traced run in the Trace Event Format, which Perfetto and chrome://tracing open.

The format is Google's document "Trace Event Format": an object with ``traceEvents``; times in microseconds.
"""

from __future__ import annotations

import json

from udock_lab.display.spelling import name_of, spelled
from udock_lab.model import SandboxResult, SystemCall

__all__ = ["trace_json"]


def trace_json(result: SandboxResult) -> str:
    """Return it as JSON: each call a complete event (``X``) of its process, with the line that made it in ``args``.

    A fork is a flow (``s`` to ``f``) from the parent to the child. No call is left out that the result has.
    """
    roles = {process.pid: process.role for process in result.processes}
    order = {process.pid: number for number, process in enumerate(result.processes)}
    events: list[dict[str, object]] = []
    for pid, role in roles.items():
        events.append(_named("process_name", pid, {"name": role}))
        events.append(_named("process_sort_index", pid, {"sort_index": order[pid]}))
    lines = [text.splitlines() for text in (result.source, *(cell.text for cell in result.cells))]
    for call in sorted(result.calls, key=lambda call: (call.start, call.end)):
        events.append(_complete(call, roles, lines[call.cell], known=bool(result.begun)))
        if call.name in ("clone", "clone3", "fork", "vfork") and call.value in roles:
            events += _flow(call, call.value or 0)
    return json.dumps({"traceEvents": events, "displayTimeUnit": "ns"})


def _named(name: str, pid: int, args: dict[str, object]) -> dict[str, object]:
    return {"ph": "M", "name": name, "pid": pid, "tid": pid, "ts": 0, "args": args}


def _complete(call: SystemCall, roles: dict[int, str], lines: list[str], *, known: bool) -> dict[str, object]:
    args: dict[str, object] = {"call": spelled(call, roles, known=known), "result": call.result, "kernel": str(call)}
    if call.errno:
        args["errno"] = call.errno
    if call.line:
        args["line"] = call.line
        args["source"] = lines[call.line - 1].strip() if call.line <= len(lines) else ""
    return {
        "ph": "X",
        "name": name_of(call, known=known),
        "cat": "failed" if call.errno else "call",
        "ts": call.start / 1000,
        "dur": max(0, call.end - call.start) / 1000,
        "pid": call.pid,
        "tid": call.pid,
        "args": args,
    }


def _flow(call: SystemCall, child: int) -> list[dict[str, object]]:
    """Draw an arrow to the child; it ends where the child begins, and ``bp`` binds it to what lies around it."""
    common = {"name": "fork", "cat": "fork", "id": child}
    return [
        {**common, "ph": "s", "ts": call.start / 1000, "pid": call.pid, "tid": call.pid},
        {**common, "ph": "f", "bp": "e", "ts": max(call.start, call.end) / 1000, "pid": child, "tid": child},
    ]
