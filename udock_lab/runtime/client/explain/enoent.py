"""What ENOENT means, which ``execve`` says for four different things (execve(2)).

The program is missing, it is a symlink to nothing, the interpreter of a script is missing, or the ELF loader of a
program is. A missing shared library is a fifth thing and another story (started.py): there execve succeeds, and it is
the loader that exits with 127.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress

from udock_lab.linux.binfmt import emulator_for, foreign_machine
from udock_lab.linux.elf import inspect_elf
from udock_lab.linux.resolve import shebang
from udock_lab.runtime.client.explain.case import ROOTFS_HINT, WITHOUT_RETURNS, Case, Words

__all__ = ["explain_enoent"]

# Whoever mistypes something else must not be led to what takes away or ends.
_NEVER_GUESSED = frozenset(
    (
        "dd",
        "fdformat",
        "halt",
        "kill",
        "killall",
        "killall5",
        "mke2fs",
        "mkdosfs",
        "mkfs.ext2",
        "mkfs.minix",
        "mkfs.vfat",
        "mkswap",
        "pkill",
        "poweroff",
        "reboot",
        "rm",
        "rmdir",
        "shred",
        "truncate",
        "unlink",
    )
)


def explain_enoent(case: Case) -> Words | None:
    """Say which of them it is; None where nothing is missing any more."""
    if case.host:
        return _broken_start(case, case.inside, case.host, depth=0)
    for path in case.candidates:
        dangling = _dangling_link(case, path)
        if dangling:
            link, target = dangling
            return (
                f"{link} is a symlink to {target}, and {target} does not exist inside the image.",
                "An absolute target starts at the image's root, not the host's. "
                "Copy the target into the image too, then build it again.",
            )
    return _missing_program(case)


def _broken_start(case: Case, inside: str, host: str, depth: int) -> Words | None:
    """Explain a program that is there and cannot start: what it needs is missing."""
    line = shebang(host)
    if line and depth <= 5:
        interpreter = line[0]
        found = case.lookup(interpreter)
        if found:
            deeper = _broken_start(case, interpreter, found, depth + 1)
            return deeper and (f"{inside} is a script for {interpreter}. {deeper[0]}", deeper[1])
        if interpreter.endswith("\r"):
            return (
                f"The first line of {inside} ends in a carriage return (Windows line ends), so the kernel "
                f"looked for an interpreter named {interpreter!r}.",
                f"Take the carriage returns out. {case.mend('sed', WITHOUT_RETURNS, inside)}",
            )
        return (
            f"{inside} is a script for {interpreter}, and {interpreter} does not exist inside the image.",
            f"Copy the interpreter into the image, or change the script's first line. {ROOTFS_HINT}",
        )
    machine = foreign_machine(host)
    if machine and depth <= 5:
        return _broken_emulation(case, inside, host, machine, depth)
    info = inspect_elf(host)
    if info and info.interpreter and not case.lookup(info.interpreter):
        return (
            f"{inside} exists, but its ELF loader {info.interpreter} does not exist inside the image.",
            f"A dynamic program needs its loader and its libraries inside too. {ROOTFS_HINT}",
        )
    return None


def _broken_emulation(case: Case, inside: str, host: str, machine: str, depth: int) -> Words | None:
    """Explain ENOENT for a program of another machine.

    An emulator is registered for it, and that is what was not found.
    """
    emulator, here = emulator_for(host), os.uname().machine
    found = case.lookup(emulator) if emulator else None
    if emulator and found:
        deeper = _broken_start(case, emulator, found, depth + 1)
        return deeper and (f"{inside} is a program for {machine}, to be run by {emulator}. {deeper[0]}", deeper[1])
    name = f"{emulator}, which" if emulator else "which"
    return (
        f"{inside} is a program for {machine}, and this machine is {here}. An emulator is registered for it "
        f"(binfmt_misc), {name} does not exist inside the image.",
        f"Put a program for {here} into the image, or register the emulator with the flag F, so that it is opened "
        "outside the image.",
    )


def _dangling_link(case: Case, path: str) -> tuple[str, str] | None:
    """Return the first symlink on the way whose target does not exist: (its path inside, its target)."""
    todo = [name for name in case.absolute(path).split("/") if name]
    done = ""
    for name in todo:
        here = f"{done}/{name}"
        if case.lookup(here):
            done = here
            continue
        for _ in range(40):
            target = case.root.link(f"{done}/{name}")
            if target is None:
                return None
            parent, base = os.path.split(target if target.startswith("/") else f"{done}/{target}")
            if case.root.link(f"{parent}/{base}") is None:
                return f"{done}/{name}", target
            done, name = parent.rstrip("/"), base
        return None
    return None


def _missing_program(case: Case) -> Words:
    if "/" not in case.argv0:
        searched = (os.path.dirname(path) or "/" for path in case.candidates)
        folders = list(dict.fromkeys(case.cwd if folder == "." else folder for folder in searched))
        message = f"The image has no program '{case.argv0}' in {', '.join(folders)}."
    else:
        path = case.absolute(case.inside)
        folders = [os.path.dirname(path) or "/"]
        gone = _first_missing(case, folders[0])
        message = f"{path} does not exist inside the image" + (f": there is no folder {gone}." if gone else ".")
    if case.argv0 == "--":
        return message, f"One -- is enough: {case.typed.command} -- PROGRAM"
    if case.argv0.startswith("-"):
        return message, f"Options of mdock go {case.typed.with_option(case.argv0)}"
    words = case.argv0.split()
    if len(words) > 1 and _is_there(case, words[0], folders):
        return message, f"Program and arguments are separate words: {case.typed.command} {case.argv0}"
    near = _nearest(case, folders, os.path.basename(case.argv0))
    shown = next((folder for folder in ("/bin", *folders) if folder in folders and case.lookup(folder)), "/")
    hint = f"Did you mean '{near}'?  " if near else ""
    return message, hint + case.look(shown)


def _is_there(case: Case, program: str, folders: Sequence[str]) -> bool:
    """Return whether this word alone would have started a program."""
    if "/" in program:
        return case.lookup(program) is not None
    return any(case.lookup(f"{folder}/{program}") for folder in (*folders, "/bin", "/usr/bin"))


def _first_missing(case: Case, folder: str) -> str | None:
    done = ""
    for name in [name for name in folder.split("/") if name]:
        done = f"{done}/{name}"
        if not case.lookup(done):
            return done
    return None


def _nearest(case: Case, folders: Sequence[str], name: str) -> str | None:
    names: set[str] = set()
    for folder in folders:
        with suppress(OSError):
            names.update(case.root.names(folder, case.cwd))
    from udock_lab.text.nearest import nearest

    names -= {name, *_NEVER_GUESSED}  # it was tried already, and is no program then
    return nearest(name, sorted(names))
