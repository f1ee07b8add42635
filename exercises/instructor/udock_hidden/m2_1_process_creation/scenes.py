"""What the sandbox plays for the hidden half of M2.1, with the referee of the other half (stage.py)."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from random import SystemRandom

from udock_lab.grading.exercises.m2_1_process_creation.programs import PROGRAM, SHELL, draws
from udock_lab.grading.exercises.m2_1_process_creation.stage import (
    Act,
    Program,
    Stage,
    as_it_comes,
    in_turn,
    told,
)
from udock_lab.grading.workers import Functions, Load, Tell
from udock_lab.linux.prctl import PR_SET_DUMPABLE, prctl

__all__ = ["AT_ONCE", "every_code", "inherited"]

AT_ONCE = 8  # processes that launch
_FOR_EVER = 3600.0  # seconds: the sandbox has a limit of its own
_STANDARD = ("input", "output", "errors")
# It says that it is there and waits, in brackets: the shell itself has open what it inherited, and nothing else.
_WAITS = '(echo "inherits-0 $$" > ../here; read end < ../gate-inherits-0)'


def every_code(load: Load, *, slow: float) -> dict[str, object]:
    """Launch 256 programs with a code each, from several processes, and a slow one; and the same words twice.

    Who gets which code is drawn when the program is there.
    """
    stage, chance = Stage(load), SystemRandom()
    codes = chance.sample(range(256), 256)
    for number, code in enumerate(codes):
        stage.expect(f"codes-{number}", as_it_comes(f"exit {code}"))
    stage.expect("slow-0", lambda program: "exit 5" if time.monotonic() > program.since + slow else "")
    twice = chance.sample(range(1, 100), 2)

    def next_one(program: Program) -> str:
        return f"exit {twice.pop()}" if twice else "exit 0"

    stage.expect("twice-0", next_one)
    names = {f"codes{first}": [f"codes-{n}" for n in range(first, 256, AT_ONCE)] for first in range(AT_ONCE)}
    names |= {"slow": ["slow-0"], "twice": ["twice-0", "twice-0"]}
    argvs = {name: draws(name) for ones in names.values() for name in ones}  # the same words are one and the same list
    acts = [
        Act(stage, act, {"program": PROGRAM}, in_turn, act, [argvs[name] for name in ones])
        for act, ones in names.items()
    ]
    stage.play(acts, _FOR_EVER)
    met = [[one.name, one.parent, one.end] for one in stage.programs]
    said = {act.name: [act.one.pid, act.one.words.get("answers", [])] for act in acts}
    stage.leave()
    return {"programs": met, "said": said, "names": names}


class _Inherits(Act):
    """A program that is looked at in /proc: its open files and its environment."""

    def __init__(self, stage: Stage, variables: Mapping[str, str]) -> None:
        self.files: dict[str, str] | None = None
        self.variables: bytes | None = None
        stage.expect("inherits-0", self._look)
        argv = [SHELL, "-c", _WAITS]
        super().__init__(stage, "inherits", {}, in_inherited, argv, variables, before=_with_files_of_ours)

    def _look(self, program: Program) -> str:
        folder = f"/proc/{program.pid}"
        try:
            self.files = {number: _identity(f"{folder}/fd/{number}") for number in os.listdir(f"{folder}/fd")}
            with open(f"{folder}/environ", "rb") as file:
                self.variables = file.read()
        except OSError:
            self.files = self.variables = None
        return "exit 0"


def _identity(path: str) -> str:
    """Return which file this is."""
    status = os.stat(path)
    return f"{status.st_dev}:{status.st_ino}"


def _shows_files() -> bool:
    """Return whether the open files of a process without the answer can be seen: it may hide its own (prctl(2))."""
    here, there = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(there)
            prctl(PR_SET_DUMPABLE, 1)
            os.read(here, 1)
        finally:
            os._exit(0)
    os.close(here)
    try:
        return bool(os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        return False
    finally:
        os.close(there)
        os.waitpid(pid, 0)


def _with_files_of_ours() -> None:
    """Have files of ours as 0, 1 and 2, and one open that no program should have."""
    for number, name in enumerate(_STANDARD):
        file = os.open(name, os.O_RDWR | os.O_CREAT, 0o644)
        os.dup2(file, number)
        os.close(file)
    os.open("/dev/null", os.O_RDONLY)


def in_inherited(tell: Tell, functions: Functions, argv: Sequence[str], variables: Mapping[str, str]) -> None:
    """Launch it; a variable is there that was not when the solution was read."""
    os.environ.update(variables)
    environment = [[name.decode("latin-1"), value.decode("latin-1")] for name, value in os.environb.items()]
    tell(environment=environment)
    tell(answers=told(tell, functions[0], "inherits", list(argv)))
    tell(done=True)


def inherited(load: Load, *, variables: Mapping[str, str]) -> dict[str, object]:
    """Launch a program and look at what it has; return that, and what its caller has.

    ``shown``: whether this machine shows the open files of another process at all.
    """
    shown = _shows_files()
    stage = Stage(load)
    act = _Inherits(stage, variables)
    stage.play([act], _FOR_EVER)
    ours = dict(os.environ) | dict(variables)
    found = {
        "met": [[one.name, one.parent, one.end] for one in stage.programs],
        "shown": shown,
        "files": act.files,
        "theirs": act.variables,
        "standard": {str(number): _identity(f"inherits/{name}") for number, name in enumerate(_STANDARD)},
        "environment": act.one.words.get("environment", []),
        "ours": ours,
        "answers": act.one.words.get("answers", []),
    }
    stage.leave()
    return found
