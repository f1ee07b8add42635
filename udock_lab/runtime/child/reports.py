"""What the child says, through a close-on-exec pipe: a line for each step, and what became of it.

A line is the step's number, counted from 1, its errno, and its start and end in nanoseconds of CLOCK_MONOTONIC. Number
0 is the start gate.
"""

from __future__ import annotations

import os

from udock_lab.isolation.step import Child

__all__ = ["EXEC", "NO_ANSWER", "parse_reports", "report"]

EXEC = -1  # the number under which execve reports
NO_ANSWER = -1  # the errno of a call that did not come back


def report(number: int, answer: int, start: int, end: int, to: int = Child.REPORTS) -> None:
    """Say it, in the child: a line that is written whole or not at all (pipe(7))."""
    os.write(to, b"%d %d %d %d\n" % (number, answer, start, end))


def parse_reports(data: bytes) -> list[tuple[int, int, int, int]]:
    """Return (number, errno, start ns, end ns) of each report.

    Of an execve's two lines the last one counts.
    """
    reports: list[tuple[int, int, int, int]] = []
    for line in data.split(b"\n"):
        words = line.split()
        if len(words) != 4:
            continue
        number, answer, start, end = (int(word) for word in words)
        if number == EXEC and reports and reports[-1][:3] == (EXEC, NO_ANSWER, start):
            reports.pop()
        reports.append((number, answer, start, end))
    return reports
