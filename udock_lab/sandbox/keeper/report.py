"""What the client gets in the end, from all witnesses together."""

from __future__ import annotations

from udock_lab.model import ExitStatus
from udock_lab.sandbox.messages import Report
from udock_lab.sandbox.scratch import small_files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from udock_lab.sandbox.keeper.ending import Ending
    from udock_lab.sandbox.keeper.sandbox import Sandbox
    from udock_lab.sandbox.keeper.streams import Streams
    from udock_lab.sandbox.keeper.trace import Trace
    from udock_lab.sandbox.keeper.words import Words

__all__ = ["make_report"]


def make_report(sandbox: Sandbox, words: Words, trace: Trace, streams: Streams, ending: Ending) -> Report:
    """Make it, before the scratch folder is removed."""
    trace.finish()
    sandbox.lines.read()
    table, identity, request = sandbox.table, sandbox.identity, sandbox.request
    status = table.status_of(table.first)
    calls = trace.log.report(sandbox.lines.of, table.process_of)
    return Report(
        processes=table.report(ending.leftovers),
        ends=table.ends(),
        collected=frozenset(table.collected),
        calls=calls,
        calls_dropped=trace.log.dropped,
        begun=sandbox.lines.begun(trace.log.began or 0, table.process_of),
        ended_by=sandbox.ended_by,
        broken=words.broken or ("" if sandbox.started else streams.first_complaint()),
        unreadable=words.unreadable,
        status=ExitStatus(raw=status) if status is not None else None,
        files=(words.files or {}) if identity.shut else small_files(request.scratch, identity.uid),
        missing_isolation=words.missing,
        identity=identity.words,
        guard="user" if identity.uid and words.guard == "none" else words.guard or "none",
        untraced=sandbox.untraced,
        written=streams.written,
        shown=streams.shown,
        signals_to_all=words.signals_to_all,
        audits=tuple(words.audits),
        waits=ending.waits,
        seconds=ending.seconds,
    )
