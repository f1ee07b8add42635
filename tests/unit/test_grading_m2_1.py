"""M2.1's evidence: which program ended how, by its words and never by its place in a list."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from udock_lab.grading.bench import NotSeenError
from udock_lab.grading.evidence import Said
from udock_lab.grading.exercises.m2_1_process_creation import diagnose
from udock_lab.grading.exercises.m2_1_process_creation.programs import draws
from udock_lab.grading.exercises.m2_1_process_creation.witness import End, ends
from udock_lab.model import ExitStatus, SandboxProcess, SandboxResult, SystemCall

ME, FIRST = 100, 101
WANTED = [draws(f"codes-{number}") for number in range(3)]
PROGRAMS = [[f"codes-{n}", 6 + n, 2, ["/bin/sh", "./program"], "exit 1"] for n in range(3)]


def call(pid: int, name: str, arguments: str, result: str = "0") -> SystemCall:
    return SystemCall(pid=pid, name=name, arguments=arguments, result=result, start=0, end=1)


def seen(raws: Sequence[int | None], *, ran: Sequence[object] = (), waits: Sequence[SystemCall] = ()) -> SandboxResult:
    """What the kernel says of programs 0, 1, ... with these wait statuses."""
    statuses = [ExitStatus(raw=raw) if raw is not None else None for raw in raws]
    children = [SandboxProcess(pid=FIRST + n, parent=ME, role="child", status=s) for n, s in enumerate(statuses)]
    execs = [
        call(FIRST + n, "execve", f'"/bin/sh", ["/bin/sh", "./program", "codes-{n}"], 0x1 /* 3 vars */')
        for n in range(len(raws))
    ]
    parent = SandboxProcess(pid=ME, parent=0, role="parent", status=ExitStatus(raw=0), ran_on=True)
    return SandboxResult(processes=(parent, *children), calls=(*execs, *waits), value={"programs": list(ran)})


def test_a_program_whose_end_nobody_saw_is_to_be_judged_again() -> None:
    with pytest.raises(NotSeenError, match="the end of program codes-1 was not seen"):
        ends(seen([34, None, 12]), WANTED)


def test_a_program_that_never_ran_leaves_its_own_place_empty() -> None:
    result = seen([34, 256, 12])
    without = SandboxResult(processes=result.processes, calls=(result.calls[0], result.calls[2]))
    found = [end.info if end else None for end in ends(without, WANTED)]
    assert found == [(None, 34), None, (None, 12)]


def test_the_news_of_an_end_is_known_by_either_number_of_the_process() -> None:
    waits = [
        call(ME, "wait4", "101, [{WIFEXITED(s) && WEXITSTATUS(s) == 1}], 0, NULL", "101"),
        call(ME, "waitid", "P_PIDFD, 3, {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=7, si_status=1}, WEXITED, NULL"),
    ]
    found = ends(seen([256, 256, 256], ran=PROGRAMS, waits=waits), WANTED)
    assert [end.unheard for end in found if end] == [False, False, True]


@pytest.mark.parametrize(
    ("given", "end", "words"),
    [
        ((10752, None, None), End(raw=42 << 8), "the raw wait status"),
        (("42", None, None), End(raw=42 << 8), "a number as text. ExitInfo holds numbers: 42, not '42'."),
        ((777, None, None), End(raw=42 << 8, pid=777), "the child's pid"),
        ((None, 19, None), End(raw=42 << 8), "a stopped program"),
        ((None, 134, None), End(raw=134), "bit 7 of the status"),
        ((137, None, None), End(raw=9), "128 + n is a habit of shells"),
        ((-9, None, None), End(raw=9), "a negative number"),
        ((0, None, None), End(raw=9), "WEXITSTATUS read without asking"),
        ((0, 9, None), End(raw=9), "a code beside the signal"),
        ((None, 2, None), End(raw=34), "too few bits"),
    ],
)
def test_a_wrong_value_is_known_by_what_it_looks_like(given: tuple[object, ...], end: End, words: str) -> None:
    said = Said(how="returned", kind="ExitInfo", mro=("ExitInfo", "tuple"), plain=given, is_plain=True)
    assert words in diagnose.misread(seen([]), said, end)
