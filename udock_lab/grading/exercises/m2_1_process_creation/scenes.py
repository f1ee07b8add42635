"""What the sandbox plays for M2.1: acts, in each of which a process of the answer's launches programs.

Several acts share a sandbox, side by side, each in a process, a folder and a session of its own. The referee (stage.py)
tells of each what it saw.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from random import SystemRandom

from udock_lab.grading.exercises.m2_1_process_creation.programs import PROGRAM, SIGNALS, draws, with_words
from udock_lab.grading.exercises.m2_1_process_creation.stage import (
    Act,
    Ends,
    Program,
    Stage,
    as_it_comes,
    in_turn,
    told,
)
from udock_lab.grading.inside import high_pipe
from udock_lab.grading.workers import Functions, Load, Tell
from udock_lab.linux.process import children, parent, state

__all__ = ["acts"]

_FOR_EVER = 3600.0  # seconds: the sandbox has a limit of its own
_TOGETHER = 0.2  # seconds in which ten that are launched at once are all there
_chance = SystemRandom()  # whoever was forked before it is asked cannot foretell what it says


def acts(load: Load, *, chosen: Sequence[str], values: Mapping[str, object], together: float) -> dict[str, object]:
    """Play these acts and return what is known of each; ``together``: the seconds that they have, 0 for no end.

    Without an end whatever is left at the end of an act stays there, for the sandbox to find.
    """
    stage = Stage(load)
    ones = {name: _ACTS[name](stage, values) for name in chosen}
    stage.play(list(ones.values()), together or _FOR_EVER)
    found: dict[str, object] = {name: one.told() for name, one in ones.items()}
    if together:
        stage.kill()
    else:
        stage.leave()
    return found


def _words(stage: Stage, values: Mapping[str, object]) -> Act:
    """Launch one program, with words as a user may type them."""
    argv = values["argv"]
    assert isinstance(argv, list)
    stage.expect("words-0", as_it_comes("exit 1"))  # it fails, and nobody is to start it again for that
    return Act(stage, "words", {argv[0]: "-> /bin/sh", "program": with_words("words-0")}, in_turn, "words", [argv])


def _codes(stage: Stage, values: Mapping[str, object]) -> Act:
    """Launch a slow program, which is stopped in between, and two quick ones."""
    slow, *quick = (f"exit {code}" for code in _codes_of(3))
    seconds = values["slow"]
    assert isinstance(seconds, float)
    stage.expect("codes-0", lambda program: slow if program.stopped_for_a_moment(seconds) else "")
    for number, end in enumerate(quick, 1):
        stage.expect(f"codes-{number}", as_it_comes(end))
    return Act(stage, "codes", {"program": PROGRAM}, in_turn, "codes", [draws(f"codes-{n}") for n in range(3)])


def _codes_of(count: int) -> list[int]:
    """Draw codes that are no small number and no signal's."""
    return _chance.sample(range(5, 96), count)


def _signals(stage: Stage, values: Mapping[str, object]) -> Act:
    """Launch programs that end by a signal each."""
    for number, drawn in enumerate(_chance.sample(SIGNALS, len(SIGNALS))):
        stage.expect(f"signals-{number}", as_it_comes(f"kill {drawn}"))
    programs = [draws(f"signals-{number}") for number in range(len(SIGNALS))]
    return Act(stage, "signals", {"program": PROGRAM}, in_turn, "signals", programs)


class _Others(Act):
    """A program beside two other children of the caller: one that has ended with 99, and one that is busy.

    They are forked before the answer is loaded.
    """

    def __init__(self, stage: Stage, values: Mapping[str, object]) -> None:
        stage.expect("own-0", as_it_comes(f"exit {_codes_of(1)[0]}"))
        super().__init__(
            stage, "own", {"program": PROGRAM}, in_turn, "own", [draws("own-0")], before=lambda: _fork_others(stage)
        )

    def own(self) -> list[int]:
        return [pid for pid in self.one.words.get("others", [[]])[0] if isinstance(pid, int)]

    def told(self) -> dict[str, object]:
        return super().told() | {"others": [self._found(pid) for pid in self.own()]}

    def _found(self, pid: int) -> str:
        """Say how the kernel has it: ``ended`` and not waited for, ``busy``, ``gone``."""
        if parent(pid) != self.one.pid:
            return "gone"
        return "ended" if state(pid) == "Z" else "busy"


def _fork_others(stage: Stage) -> None:
    ended = os.fork()
    if ended == 0:
        os._exit(99)
    os.waitid(os.P_PID, ended, os.WEXITED | os.WNOWAIT)
    reading, writing = high_pipe()
    busy = os.fork()
    if busy == 0:
        os.close(writing)
        os.read(reading, 1)
        os._exit(98)
    stage.tell(others=[ended, busy])


class _Failing(Act):
    """What is no program: a folder, and files that may not or cannot be executed; others are not there."""

    def __init__(self, stage: Stage, values: Mapping[str, object]) -> None:
        paths = values["paths"]
        assert isinstance(paths, list)
        programs = [[path] for path in paths]
        files = {"no-program": "exit 3\n", "not-executable": "#!/bin/sh\n"}
        super().__init__(stage, "stays", files, in_turn, "stays", programs, before=_make_it_harder)


def _make_it_harder() -> None:
    os.mkdir("folder")
    os.chmod("not-executable", 0o644)


class _Ten(Act):
    """Each program is launched by a process of its own, all at the same time; of eight all are there before one ends.

    Who launched is looked at afterwards: whether a child of it is there, ended or not.
    """

    def __init__(self, stage: Stage, values: Mapping[str, object]) -> None:
        self.left_by: dict[int, bool] = {}
        missing = values["missing"]
        programs = [*(draws(f"many-{number}") for number in range(9)), [missing]]
        for number, code in enumerate(_codes_of(8)):
            stage.expect(f"many-{number}", self._when_all_are_there(f"exit {code}"))
        stage.expect("many-8", as_it_comes("kill 9"))
        super().__init__(stage, "many", {"program": PROGRAM}, in_ten, programs)

    def _when_all_are_there(self, end: str) -> Ends:
        def ends(program: Program) -> str:
            there = {one.name for one in self.stage.programs if one.name.startswith("many-")}
            return end if len(there) >= 9 or time.monotonic() > program.since + _TOGETHER else ""

        return ends

    def _ones(self) -> dict[int, int]:
        """Return the ten that are there, their pids by their numbers."""
        return {one.words["born"]: pid for pid, one in self.stage.all.items() if isinstance(one.words.get("born"), int)}

    def own(self) -> list[int]:
        return list(self._ones().values())

    def is_done(self) -> bool:
        ones = [self.stage.all[pid] for pid in self._ones().values()]
        for number, pid in self._ones().items():
            if "done" in self.stage.all[pid].words and number not in self.left_by:
                self.left_by[number] = bool(children(pid))
        return super().is_done() and all("done" in one.words or not _is_there(one.pid) for one in ones)

    def told(self) -> dict[str, object]:
        words = {number: self.stage.all[pid].words for number, pid in self._ones().items()}
        said = {number: one["done"] for number, one in words.items() if isinstance(one.get("done"), str)}
        return super().told() | {
            "ten": [[number, text, self.left_by.get(number, False)] for number, text in said.items()]
        }


def _is_there(pid: int) -> bool:
    return state(pid) not in (None, "Z")


def in_ten(tell: Tell, functions: Functions, programs: Sequence[list[str]]) -> None:
    for number, argv in enumerate(programs):
        if os.fork() == 0:
            tell(born=number)
            tell(done=told(tell, functions[0], "many", argv))
            return  # it lives on, as its parent does
    tell(done=True)


_ACTS = {"words": _words, "codes": _codes, "signals": _signals, "own": _Others, "stays": _Failing, "many": _Ten}
