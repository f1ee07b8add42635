"""What a sandbox run looks like.

The text is deterministic as far as the run was: pids, times and addresses are left to the HTML.
"""

from __future__ import annotations

from udock_lab.display.text.status import ending
from udock_lab.display.text.timeline import timeline_text
from udock_lab.model import (
    SandboxProcess,
    SandboxResult,
)

__all__ = ["calls_text", "process_ending", "sandbox_text", "sentence", "shown_role"]


def process_ending(process: SandboxProcess) -> str:
    """Say how a process ended: ``exited with code 42, as /bin/sh``; ``killed when the sandbox ended``."""
    words = ending(process.status) if process.status is not None else "ended; nobody here saw how"
    if process.leftover:
        words = "still there at the end, and killed"
    return f"{words}, as {process.program}" if process.program else words


def sandbox_text(result: SandboxResult) -> str:
    """Return verdict, processes, notes, and the calls where they were asked for."""
    width = max((len(process.role) for process in result.processes), default=0)
    lines = [sentence(result.verdict)]
    shown = result.processes[:12]
    lines += [f"  {shown_role(process):<{width}}  {process_ending(process)}" for process in shown]
    if len(result.processes) > len(shown):
        lines.append(f"  and {len(result.processes) - len(shown)} more")
    lines += [f"  note: {note}" for note in result.notes]
    if result.shows_calls:
        lines += [f"  {line}".rstrip() for line in calls_text(result).splitlines()]
    return "\n".join(lines)


def calls_text(result: SandboxResult) -> str:
    """Return one call a line, its process before it, a child's between its fork and the wait for it."""
    if result.untraced:
        return f"no system calls: {result.untraced}"
    return timeline_text(result)


def shown_role(process: SandboxProcess) -> str:
    """Return the role; of a process that has none, no number, which differs from run to run."""
    return process.role if not process.role.startswith("process") else "process"


def sentence(words: str) -> str:
    """Begin with a capital letter."""
    return words[:1].upper() + words[1:]
