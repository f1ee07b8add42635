"""The nouns of mdock: frozen values and nothing else (no input or output, no HTML).

One file a family, each fetched when one of its names is first asked for (PEP 562): ``mdock run`` needs four of them.

    exits.py      How a process ended.
    records.py    What mdock keeps of images and containers, and what it knows of them now.
    specs.py      What somebody asks for.
    runs.py       What one run was, step by step, and how it ended.
    processes.py  Processes as /proc shows them.
    machine.py    What this machine permits.
    descriptors.py  Which descriptor stands for which open file, by the calls that were seen.
    sandboxes.py  What ran in a sandbox, and the system calls that it made.
    cards.py      What a lesson shows at one place.
    checks.py     What an exercise asks for, and what a check found.
    value.py      The base of all of them.
    plain.py      From values to plain data and back (kinds.py: type by type); jsontext.py: plain data as JSON.

Times are local ISO 8601 texts with seconds; durations are nanoseconds unless a name says otherwise.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from udock_lab.model.cards import CardBox, CardChoices, CardLines, CardMap, CardTable, CardText, LessonCard
    from udock_lab.model.checks import CheckReport, Judgement, Requirement
    from udock_lab.model.exits import ExitStatus
    from udock_lab.model.machine import DoctorReport, Feature
    from udock_lab.model.processes import ProcessNode, Snapshot
    from udock_lab.model.records import Container, Image, Inspection, Isolation, Record, Status
    from udock_lab.model.runs import Failure, RunResult, Signals, StepReport
    from udock_lab.model.sandboxes import (
        LineBegun,
        NotebookCell,
        OutputChunk,
        SandboxProcess,
        SandboxResult,
        SystemCall,
    )
    from udock_lab.model.specs import ContainerSpec, Limits

__all__ = [
    "CardBox",
    "CardChoices",
    "CardLines",
    "CardMap",
    "CardTable",
    "CardText",
    "CheckReport",
    "Container",
    "ContainerSpec",
    "DoctorReport",
    "ExitStatus",
    "Failure",
    "Feature",
    "Image",
    "Inspection",
    "Isolation",
    "Judgement",
    "LessonCard",
    "Limits",
    "LineBegun",
    "NotebookCell",
    "OutputChunk",
    "ProcessNode",
    "Record",
    "Requirement",
    "RunResult",
    "SandboxProcess",
    "SandboxResult",
    "Signals",
    "Snapshot",
    "Status",
    "StepReport",
    "SystemCall",
]

_FAMILIES = {
    "exits": ("ExitStatus",),
    "records": ("Status", "Isolation", "Record", "Image", "Container", "Inspection"),
    "specs": ("Limits", "ContainerSpec"),
    "runs": ("Signals", "StepReport", "Failure", "RunResult"),
    "processes": ("Snapshot", "ProcessNode"),
    "machine": ("Feature", "DoctorReport"),
    "sandboxes": ("SystemCall", "LineBegun", "NotebookCell", "SandboxProcess", "OutputChunk", "SandboxResult"),
    "cards": ("CardText", "CardChoices", "CardLines", "CardTable", "CardBox", "CardMap", "LessonCard"),
    "checks": ("Requirement", "Judgement", "CheckReport"),
}


def __getattr__(name: str) -> object:
    """Fetch the class of that name from the file of its family."""
    for family, names in _FAMILIES.items():
        if name in names:
            module = __import__(f"{__name__}.{family}", fromlist=names)
            globals()[name] = value = getattr(module, name)
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
