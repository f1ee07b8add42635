"""A line of containers.db, while the program ran and at the end."""

from __future__ import annotations

from udock_lab.model import (
    Record,
)
from udock_lab.text.terminal import printable

__all__ = ["FIELDS", "changed_fields", "record_line", "record_text"]

FIELDS = ("container_id", "pid", "image_name", "status", "start_time", "end_time", "exit_code")


def record_line(record: Record, *, measured: bool = True) -> str:
    """Return the line of containers.db."""
    code = "" if record.exit_code is None else str(record.exit_code)
    pid, start = (str(record.pid), record.start_time) if measured else ("<pid>", "<start>")
    end = (record.end_time or "") if measured or not record.end_time else "<end>"
    return f"{record.id}|{pid}|{record.image}|{record.status.value}|{start}|{end}|{code}"


def changed_fields(before: Record | None, after: Record | None) -> tuple[str, ...]:
    """Return the names of the fields that phase 2 changed."""
    if before is None or after is None:
        return ()
    pairs = (
        (before.id, after.id),
        (before.pid, after.pid),
        (before.image, after.image),
        (before.status, after.status),
        (before.start_time, after.start_time),
        (before.end_time, after.end_time),
        (before.exit_code, after.exit_code),
    )
    return tuple(name for name, (old, new) in zip(FIELDS, pairs, strict=True) if old != new)


def record_text(before: Record | None, after: Record | None, *, measured: bool = True) -> str:
    """Show the record after phase 1 and after phase 2."""
    lines = []
    if before:
        lines.append(f"record while running  {printable(record_line(before, measured=measured))}")
    if after:
        lines.append(f"record at the end     {printable(record_line(after, measured=measured))}")
    if before and after:
        lines.append(f"changed               {', '.join(changed_fields(before, after)) or 'nothing'}")
    return "\n".join(lines) or "no record"
