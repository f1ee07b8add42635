"""What the sandbox plays for the hidden half of M2.1."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence

from udock_lab.grading.exercises.m2_1_process_creation.scenes import told

__all__ = ["AT_ONCE", "every_code", "inherited"]

AT_ONCE = 8  # processes that launch
Launch = Callable[[list[str]], object]


def every_code(launch: Launch, *, slow: list[str], twice: list[str]) -> list[object]:
    """Launch 256 programs with a code each, from several processes, and a slow one; then the same words twice.

    Each program leaves a trace of its own (``ran``): a code that nobody ran is none.
    """
    workers = [_worker(launch, f"said-{first}", _exits(range(first, 256, AT_ONCE))) for first in range(AT_ONCE)]
    workers.append(_worker(launch, "said-slow", {-1: slow}))
    for pid in workers:
        os.waitpid(pid, 0)
    return [told(launch, twice), told(launch, twice)]


def _exits(codes: Sequence[int]) -> dict[int, list[str]]:
    return {code: ["/bin/sh", "-c", f"echo {code} >> ran; exit {code}"] for code in codes}


def _worker(launch: Launch, file: str, programs: Mapping[int, list[str]]) -> int:
    """Fork a process that launches programs in turn, and writes down what was said; return its pid."""
    pid = os.fork()
    if pid == 0:
        try:
            answers = [(code, told(launch, argv)) for code, argv in programs.items()]
            with open(file, "w") as out:
                out.write(repr([[code, one["shown"], one.get("plain")] for code, one in answers]))
        finally:
            os._exit(0)
    return pid


def inherited(launch: Launch, *, variables: Mapping[str, str], script: str) -> dict[str, object]:
    """Launch a program that tells of its environment and its open files, with files of ours as 0, 1 and 2.

    A variable is there that was not when the solution was read, and a file is open that the program should not have.
    """
    os.environ.update(variables)
    kept = os.open("/dev/null", os.O_RDONLY)
    held = [os.dup(number) for number in range(3)]
    for number, name in enumerate(("input", "output", "errors")):
        file = os.open(name, os.O_RDWR | os.O_CREAT, 0o644)
        os.dup2(file, number)
        os.close(file)
    ours = {str(number): _identity(number) for number in range(3)}
    environment = {bytes(name): bytes(value) for name, value in os.environb.items()}
    answer = told(launch, ["/bin/sh", "-c", script])
    for number, file in enumerate(held):
        os.dup2(file, number)
    os.close(kept)
    return {"told": answer, "files": ours, "environment": environment}


def _identity(fd: int) -> str:
    """Return which file this is, as ``stat -c %d:%i`` writes it."""
    status = os.fstat(fd)
    return f"{status.st_dev}:{status.st_ino}"
