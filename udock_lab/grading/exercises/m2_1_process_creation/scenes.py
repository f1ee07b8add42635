"""What the sandbox plays for M2.1: programs for ``launch``, and what they leave behind.

Each scene is told which files it needs; programs are scripts, so that the kernel's word on an exec stays short. Where a
child comes out of ``launch`` beside its caller, that is written down (``astray``), and the child ends.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence

from udock_lab.grading.inside import said

__all__ = ["beside_others", "failing", "in_turn", "ten_at_once", "told"]

Launch = Callable[[list[str]], object]
Told = dict[str, object]


def in_turn(launch: Launch, *, files: Mapping[str, str], programs: Sequence[list[str]]) -> list[Told]:
    """Launch programs one after another."""
    _write(files)
    return [told(launch, argv) for argv in programs]


def beside_others(launch: Launch, *, files: Mapping[str, str], argv: list[str]) -> list[object]:
    """Launch a program while there are other children: one that has ended with 99, and one that is busy.

    Return what launch said, and how these two were found afterwards.
    """
    _write(files)
    ended = os.fork()
    if ended == 0:
        os._exit(99)
    os.waitid(os.P_PID, ended, os.WEXITED | os.WNOWAIT)
    reading, writing = os.pipe()
    busy = os.fork()
    if busy == 0:
        os.read(reading, 1)
        os._exit(98)
    answer = told(launch, argv)
    os.write(writing, b".")
    return [answer, _end_of(ended), _end_of(busy)]


def failing(launch: Launch, *, files: Mapping[str, str], paths: Sequence[str]) -> list[Told]:
    """Launch what is no program: a folder, and files that may not or cannot be executed; others are not there."""
    _write(files)
    os.mkdir("folder")
    os.chmod("not-executable", 0o644)
    return [told(launch, [path]) for path in paths]


def ten_at_once(launch: Launch, *, files: Mapping[str, str], programs: Sequence[list[str]]) -> None:
    """Launch each from a process of its own, all at the same time; each writes a line of what was said."""
    _write(files)
    workers = []
    for number, argv in enumerate(programs):
        pid = os.fork()
        if pid == 0:
            try:
                _one_of_ten(launch, number, argv)
            finally:
                os._exit(0)
        workers.append(pid)
    for pid in workers:
        os.waitpid(pid, 0)


def _one_of_ten(launch: Launch, number: int, argv: list[str]) -> None:
    answer = told(launch, argv)
    try:
        os.waitpid(-1, os.WNOHANG)
        left = True  # ended or not: it is there
    except ChildProcessError:
        left = False
    _add("said", [number, answer, left])


def told(launch: Launch, argv: list[str]) -> Told:
    """Call launch and tell what it said; only its caller goes on."""
    caller = os.getpid()
    answer = said(launch, argv)
    if os.getpid() != caller:
        _add("astray", answer)
        os._exit(0)
    return answer


def _add(name: str, line: object) -> None:
    """Add a line to a file that others write to as well: in one go."""
    with open(name, "a") as file:
        file.write(f"{line!r}\n")


def _end_of(pid: int) -> object:
    try:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    except ChildProcessError:
        return "taken"


def _write(files: Mapping[str, str]) -> None:
    """Write files and links (``-> where``), all of them executable; say who is the caller."""
    for name, text in files.items():
        os.makedirs(os.path.dirname(name) or ".", exist_ok=True)
        if text.startswith("-> "):
            os.symlink(text.removeprefix("-> "), name)
            continue
        with open(name, "w") as file:
            file.write(text)
        os.chmod(name, 0o755)
    with open("me", "w") as file:
        file.write(str(os.getpid()))
