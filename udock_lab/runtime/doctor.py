"""Asking the machine what it permits, from a process that may be a threaded kernel.

Probes change the process that makes them, so the single-threaded supervisor makes them in a child.
"""

from __future__ import annotations

import os

from udock_lab.model import DoctorReport
from udock_lab.model.jsontext import from_json, to_json
from udock_lab.model.plain import plain, revive

__all__ = ["answer_probe", "report_from_json"]


def answer_probe(fd: int, what: str = "everything") -> None:
    """Try everything, in a child, and write the report as JSON to ``fd``; or try user namespaces alone."""
    if what == "userns":
        from udock_lab.runtime.usernstrial import answer_trial

        answer_trial(fd)
        return
    from udock_lab.isolation.probe import probe

    data = memoryview(to_json(plain(probe())))
    while data:
        data = data[os.write(fd, data) :]


def report_from_json(data: bytes) -> DoctorReport:
    """Return the report of :func:`answer_probe`."""
    return revive(DoctorReport, from_json(data))
