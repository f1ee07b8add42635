"""Why a program ended that execve did start: its loader, an emulator, its interpreter or a limit.

Nothing was refused there, so that none of it is an EXEC_FAIL.
"""

from __future__ import annotations

import os
import signal
from shlex import quote

from udock_lab.linux.binfmt import foreign_machine
from udock_lab.linux.elf import inspect_elf, libraries
from udock_lab.linux.resolve import shebang
from udock_lab.model import ExitStatus, Limits
from udock_lab.runtime.client.explain.case import ROOTFS_HINT, WITHOUT_RETURNS
from udock_lab.runtime.state.rootsource import RootSource, source_of

__all__ = ["explain_carriage_return", "explain_emulated", "explain_exit_127", "explain_limit"]


def explain_exit_127(rootfs: RootSource | str, program_host_path: str) -> str | None:
    """Name the shared libraries that ``rootfs`` lacks: the program was started, yet the code is 127.

    None when none is missing: then 127 is the program's own word (a shell says so of a command it did not
    find). For a script the interpreter is looked at. Never raises OSError.
    """
    root = source_of(rootfs)
    try:
        program = program_host_path
        for _ in range(5):
            line = shebang(program)
            if line is None:
                break
            program = root.look(line[0])
        info = inspect_elf(program)
        missing = libraries(program, root).missing
    except OSError:
        return None
    if info is None or not missing:
        return None
    noun = "library" if len(missing) == 1 else "libraries"
    return (
        f"execve succeeded, then the loader {info.interpreter} did not find the shared {noun} "
        f"{', '.join(missing)} inside the image and exited with 127. The loader, not execve, said no, "
        f"so there is no EXEC_FAIL. {ROOTFS_HINT}"
    )


def explain_emulated(rootfs: RootSource | str, program_host_path: str) -> str | None:
    """Say what an emulator lacked, for a program of another machine that was started and has failed.

    None where nothing is missing, or the program is this machine's. Never raises OSError.
    """
    try:
        machine = foreign_machine(program_host_path)
        info = inspect_elf(program_host_path) if machine else None
        if info is None or info.interpreter is None:
            return None
        source_of(rootfs).look(info.interpreter)
    except FileNotFoundError:
        return (
            f"This is a program for {machine}. execve succeeded, since an emulator is registered for it (binfmt_misc), "
            f"and the emulator did not find the ELF loader {info and info.interpreter} inside the image. "
            f"Put a program for {os.uname().machine} into the image, or that loader."
        )
    except OSError:
        return None
    return None


def explain_carriage_return(program_host_path: str, inside: str) -> str | None:
    """Say that a script's interpreter got a carriage return from the ``#!`` line; None where it got none.

    Without an argument the return would be part of the interpreter's name, and execve would have said ENOENT.
    """
    try:
        line = shebang(program_host_path)
    except OSError:
        return None
    if line is None or not (line[1] or "").endswith("\r"):
        return None
    return (
        f"The first line of {inside} ends in a carriage return (Windows line ends), so {line[0]} was given "
        f"{line[1]!r} as its argument. Take the carriage returns out: sed {WITHOUT_RETURNS} {quote(inside)}"
    )


def explain_limit(program: str, limits: Limits, status: ExitStatus) -> str | None:
    """Name the limit that ended ``program``, where its end looks like one (setrlimit(2)); else None.

    The kernel does not say which limit a signal came from, so only SIGXCPU, which has no other source, is
    certain; SIGKILL and SIGSEGV are explained as what they can mean under the limits that were given.
    """
    name = status.signal_name
    if name == "SIGXCPU" or (limits.cpu and status.code == 128 + signal.SIGXCPU):
        who = program if status.signaled else f"A process of {program}"
        given = f"RLIMIT_CPU, --cpu {limits.cpu}" if limits.cpu else "RLIMIT_CPU"
        return (
            f"{who} used up its processor time ({given}): SIGXCPU, exit code {status.shell_code} = 128 + "
            f"{int(signal.SIGXCPU)}."
        )
    if limits.cpu and name == "SIGKILL":
        return (
            f"{program} was ended by SIGKILL. With --cpu {limits.cpu} the kernel sends SIGXCPU after "
            f"{limits.cpu} s of processor time, and SIGKILL one second later to a program that went on."
        )
    if limits.memory and name in ("SIGSEGV", "SIGBUS", "SIGKILL"):
        return (
            f"{program} was ended by {name}. Under --mem (RLIMIT_AS, {limits.memory} bytes) that can mean that "
            "execve found too little address space for the program, or that its stack could not grow. "
            "Give it more, for instance: --mem 64M"
        )
    return None
