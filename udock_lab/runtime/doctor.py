"""Asking the machine what it permits, from a process that may be a threaded kernel.

Probes change the process that makes them, so the single-threaded supervisor makes them in a child.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from typing import Any

from udock_lab.model import DoctorReport, Feature

__all__ = ["answer_probe", "report_from_json"]


def answer_probe(fd: int, what: str = "everything") -> None:
    """Try everything, in a child, and write the report as JSON to ``fd``; or try user namespaces alone."""
    if what == "userns":
        from udock_lab.runtime.usernstrial import answer_trial

        answer_trial(fd)
        return
    from udock_lab.isolation.probe import probe

    data = memoryview(json.dumps(asdict(probe())).encode())
    while data:
        data = data[os.write(fd, data) :]


def report_from_json(data: bytes) -> DoctorReport:
    """Return the report of :func:`answer_probe`."""
    fields: dict[str, Any] = json.loads(data)
    features = tuple(Feature(**feature) for feature in fields["features"])
    return DoctorReport(rung=fields["rung"], summary=fields["summary"], features=features)
