"""A wait status in words (wait(2))."""

from __future__ import annotations

import os

from udock_lab.display.tables import table
from udock_lab.model import (
    ExitStatus,
)

__all__ = [
    "MACROS_HEAD",
    "bits",
    "ending",
    "shell_words",
    "status_groups",
    "status_macros",
    "status_text",
    "status_words",
]

MACROS_HEAD = ("MACRO", "READS BITS", "WHAT IT ASKS", "HERE")


def bits(status: ExitStatus) -> str:
    """Return the 16 bits: exit code, core flag, signal."""
    text = f"{status.raw & 0xFFFF:016b}"
    return f"{text[:8]} {text[8]} {text[9:]}"


def ending(status: ExitStatus) -> str:
    """Say in one sentence how it ended."""
    if status.code is not None:
        return f"exited with code {status.code}"
    if status.signal is None:  # bits 0-6 all set: waitpid with WUNTRACED tells of a stop like this
        return "has not ended: the low seven bits are all 1, which means stopped"
    said = f"ended by {status.signal_name} (signal {status.signal})"
    if status.signal_name == "SIGXCPU":
        said += ": it used up its processor time"
    return said + (", core dumped" if status.core_dumped else "")


def shell_words(status: ExitStatus) -> str:
    """Say what ``$?`` would be, and the sum behind it where there is one."""
    if status.signal is None:
        return f"$? = {status.shell_code}"
    return f"$? = 128 + {status.signal} = {status.shell_code}"


def status_words(status: ExitStatus) -> str:
    """Say how it ended, and what a shell says of it; a process that is only stopped has not ended."""
    ended = status.exited or status.signaled
    return f"{ending(status)}; in a shell {shell_words(status)}" if ended else ending(status)


def status_groups(status: ExitStatus) -> tuple[tuple[str, str, str, str, bool], ...]:
    """Return the three groups of bits: where, the bits, what they say, how to get at them, whether they count here."""
    code, core, number = bits(status).split()
    raw = status.raw & 0xFFFF
    high, flag, low = raw >> 8 & 0xFF, raw & 0x80, raw & 0x7F
    if status.exited:
        said = (f"exit code {high}", "core dumped: no", "no signal")
    elif status.signaled:
        said = ("no exit code", f"core dumped: {'yes' if flag else 'no'}", f"signal {low} = {status.signal_name}")
    else:
        said = (f"stopped by signal {high}", "no core flag", "stopped, not ended")
    return (
        ("bits 8-15", code, said[0], f"status >> 8 & 0xff = {high}", not status.signaled),
        ("bit 7", core, said[1], f"status & 0x80 = {flag}", status.signaled),
        ("bits 0-6", number, said[2], f"status & 0x7f = {low}", True),
    )


def status_macros(status: ExitStatus) -> tuple[tuple[str, str, str, str], ...]:
    """Return each macro of wait(2): its name, the bits it reads, what it asks or computes, and its answer here."""
    raw, none = status.raw & 0xFFFF, "-"
    stopped = os.WIFSTOPPED(raw)

    def answer(yes: bool) -> str:
        return "true" if yes else "false"

    return (
        ("WIFEXITED", "0-6", "all 0?", answer(status.exited)),
        ("WEXITSTATUS", "8-15", "the exit code, where WIFEXITED", none if status.code is None else str(status.code)),
        ("WIFSIGNALED", "0-6", "neither all 0 nor all 1?", answer(status.signaled)),
        ("WTERMSIG", "0-6", "the signal, where WIFSIGNALED", none if status.signal is None else str(status.signal)),
        ("WCOREDUMP", "7", "1? asked where WIFSIGNALED", answer(status.core_dumped) if status.signaled else none),
        ("WIFSTOPPED", "0-7", "equal to 0x7f? only with WUNTRACED", answer(stopped)),
        ("WSTOPSIG", "8-15", "the signal, where WIFSTOPPED", str(os.WSTOPSIG(raw)) if stopped else none),
    )


def status_text(status: ExitStatus) -> str:
    """Show the wait status, bit by bit, and what each macro of wait(2) makes of it."""
    groups = [[where, value, meaning, formula] for where, value, meaning, formula, _ in status_groups(status)]
    lines = [f"wait status {status.raw} = {bits(status)}"]
    lines += table(("BITS", "", "MEANING", "FORMULA"), groups).splitlines()
    lines += ["", *table(MACROS_HEAD, status_macros(status)).splitlines(), ""]
    lines.append(status_words(status))
    return "\n".join([lines[0], *(f"  {line}".rstrip() for line in lines[1:])])
