"""``as_root``, ``run_alone`` and ``run_three_ways``: another root, whatever this machine permits."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from typing import TYPE_CHECKING

from udock_lab import sandbox
from udock_lab.display.pictures import Picture, before_and_after
from udock_lab.lesson.experiments.finding import Finding
from udock_lab.lesson.experiments.programs import privileges
from udock_lab.lesson.experiments.running import source_of
from udock_lab.lesson.recordings import recorded
from udock_lab.model import RunResult, SandboxResult

if TYPE_CHECKING:
    from udock_lab.lesson.session import Lesson

__all__ = ["WORDS", "ThreeWays", "as_root", "run_alone", "run_three_ways"]

WORDS = ("/bin/sh", "-c", "test -e /etc/mdock-rootfs && echo / is the image || echo / is this machine")
_PLACE = "m2_2"  # whose recordings are shown


def as_root(lesson: Lesson, experiment: Callable[[], object], recording: str) -> SandboxResult:
    """Run a function in a sandbox as one who may chroot; where this machine lets nobody, show a recorded run."""
    if not (lesson.chroot or lesson.userns):
        result = recorded(f"{_PLACE}_{recording}").result
        assert isinstance(result, SandboxResult)
        return result
    first = "" if lesson.chroot else "become_root()\n"
    run = sandbox.run(f"{source_of(privileges)}\n{first}__value__ = experiment()\n", names={"experiment": experiment})
    print(run.stdout + run.stderr, end="")
    return run


def run_alone(lesson: Lesson, program: str) -> RunResult:
    """Run a copy of a program in an image that holds this one file."""
    name = os.path.basename(program)
    if not (lesson.chroot or lesson.userns):
        result = recorded(f"{_PLACE}_lone").result
        assert isinstance(result, RunResult)
        return result
    folder = f"{lesson.home}/lone"
    os.makedirs(folder, exist_ok=True)
    shutil.copy(program, folder)
    lesson.runtime.build("lone", folder, force=True)
    return lesson.runtime.run("lone", [f"/{name}"], userns=not lesson.chroot)


class ThreeWays(Finding):
    """One program, run with your rights, without the right, and with ``--userns``.

    ``changed`` is what the steps of the third run changed; None where this machine refuses it.
    """

    def __init__(self, rows: list[tuple[str, str, str]], warning: str, changed: Picture | None) -> None:
        self.changed = changed
        super().__init__(
            "The same container, three ways",
            ("WAY", "ISOLATION", "THE PROGRAM SAYS"),
            rows,
            call="run_three_ways",
            program=privileges,
            notes=warning.splitlines(),
        )

    def __repr__(self) -> str:
        return super().__repr__() + (f"\n{self.changed.text}" if self.changed is not None else "")

    def _repr_html_(self) -> str:
        return super()._repr_html_() + (self.changed.html if self.changed is not None else "")


def run_three_ways(lesson: Lesson) -> ThreeWays:
    """Run a program that looks for a file of the image, three times; what is refused here is shown as recorded."""
    runtime = lesson.runtime
    runtime.run("demo", WORDS)
    refused = sandbox.run(privileges.mdock_without_the_right, ["run", "demo", "--", *WORDS])
    inside = runtime.run("demo", WORDS, userns=True, snapshots=True)
    rows = []
    for way, run in zip(("with your rights", "without the right", "with --userns"), runtime.ps()[-3:], strict=True):
        said = runtime.logs(run.id).decode().splitlines() or ["never started: this machine refuses it"]
        rows.append((way, run.isolation.value if run.isolation else "-", said[-1]))
    for permitted, recording in ((lesson.chroot, "chroot_root"), (lesson.userns, "chroot_userns")):
        if not permitted:
            recorded(f"{_PLACE}_{recording}")
    return ThreeWays(rows, refused.stderr.strip(), before_and_after(inside) if lesson.userns else None)
