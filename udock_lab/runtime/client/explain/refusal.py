"""Why ``execve`` refused a program, errno by errno."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Sequence
from shlex import quote

from udock_lab.linux.elf import ElfInfo, inspect_elf
from udock_lab.linux.mountpoints import mount_point
from udock_lab.linux.resolve import shebang
from udock_lab.runtime.client.explain.case import ROOTFS_HINT, Case, Typed, Words
from udock_lab.runtime.client.explain.enoent import explain_enoent
from udock_lab.runtime.state.rootsource import RootSource, source_of

__all__ = ["explain_exec_failure"]


def explain_exec_failure(
    rootfs: RootSource | str,
    candidates: Sequence[str],
    number: int,
    cwd: str,
    argv0: str,
    *,
    image: str = "",
    container: str = "",
    confined: bool = True,
) -> tuple[str, str]:
    """Say why ``execve`` answered ``number`` (an errno): a message and a hint, in short plain sentences.

    ``candidates`` are the paths inside ``rootfs`` (a folder stands for the source there) that were tried in turn,
    ``cwd`` is the working directory inside, ``argv0`` the word that was typed, ``container`` the id that ``exec`` was
    given, ``confined`` whether programs there see the image's root as theirs. Never raises OSError: what cannot be
    read is not explained.
    """
    root = source_of(rootfs)
    case = Case(root, list(candidates) or [argv0], cwd or "/", argv0, Typed(image or "IMAGE", container, confined))
    explainers: dict[int, Callable[[Case], Words | None]] = {
        errno.ENOENT: explain_enoent,
        errno.EACCES: _eacces,
        errno.ENOEXEC: _enoexec,
        errno.ENOTDIR: _enotdir,
        errno.ELOOP: _eloop,
        errno.ELIBBAD: _elibbad,
    }
    words = None
    try:
        if number in explainers:
            words = explainers[number](case)
    except OSError:  # it changed while it was looked at, or this user may not look
        words = None
    return words or _FIXED.get(number, _generic)(case, number)


def _eacces(case: Case) -> Words | None:
    case = _refused_case(case)
    if not case.host:
        return (
            f"A folder on the way to {case.inside} may not be searched by this user.",
            "Each folder needs the x permission. Look along the path: "
            f"namei -l {case.root.unresolved(case.absolute(case.inside))}",
        )
    words = _not_executable(case, case.inside, case.host)
    if words:
        return words
    line = shebang(case.host)
    found = case.lookup(line[0]) if line else None
    if line and found:
        words = _not_executable(case, line[0], found)
        if words:
            return f"{case.inside} is a script for {line[0]}. {words[0]}", words[1]
    info = inspect_elf(case.host) if os.access(case.host, os.R_OK) else None
    loader = case.lookup(info.interpreter) if info and info.interpreter else None
    if info and info.interpreter and loader:
        words = _not_executable(case, info.interpreter, loader)
        if words:
            return f"{case.inside} is started by its ELF loader. {words[0]}", words[1]
    return None


def _refused_case(case: Case) -> Case:
    """Return the candidate that was refused: execvp goes on to the next folder after EACCES."""
    for path in case.candidates:
        host = case.lookup(path)
        if host and (not os.path.isfile(host) or not os.access(host, os.X_OK)):
            return Case(case.root, [path], case.cwd, case.argv0, case.typed)
    return case


def _not_executable(case: Case, inside: str, host: str) -> Words | None:
    info = os.stat(host)
    if stat.S_ISDIR(info.st_mode):
        return f"{inside} is a directory, not a program.", case.look(inside)
    if not stat.S_ISREG(info.st_mode):
        return f"{inside} is no regular file ({stat.filemode(info.st_mode)}), so it cannot be run.", case.look(inside)
    if os.statvfs(host).f_flag & os.ST_NOEXEC:  # first: there the mode does not matter, and access(2) says no
        return (
            f"{inside} is on a file system that is mounted noexec (at {mount_point(host)}): nothing may be run "
            "from there, whatever its mode.",
            "Keep the images elsewhere: export MDOCK_HOME=/some/folder   "
            f"or mount it again: sudo mount -o remount,exec {quote(mount_point(host))}",
        )
    mode = f"{stat.S_IMODE(info.st_mode):04o} ({stat.filemode(info.st_mode)})"
    if not info.st_mode & 0o111:
        return f"{inside} is not executable: its mode is {mode}.", case.mend("chmod", "+x", inside)
    if not os.access(host, os.X_OK):
        return (
            f"{inside} is not executable by this user: its mode is {mode}, its owner is uid {info.st_uid}.",
            case.mend("chmod", "a+x", inside),
        )
    return None


def _enoexec(case: Case) -> Words | None:
    if not case.host:
        return None
    with open(case.host, "rb") as file:
        head = file.read(256)
    if not head:
        return f"{case.inside} is an empty file: there is nothing to run.", "Was it copied completely?"
    info = inspect_elf(case.host)
    if info:
        return _foreign_elf(case.inside, info)
    if head.startswith(b"\x7fELF"):
        return f"{case.inside} begins as an ELF program, but is damaged or cut short.", "Copy it again."
    if head.startswith(b"#!"):
        if shebang(case.host) is None:
            return f"The '#!' line of {case.inside} names no interpreter.", "Its first line should be: #!/bin/sh"
        return _enoexec_of_interpreter(case)
    if b"\0" in head:
        return f"{case.inside} is neither an ELF program nor a script with a '#!' line.", "Is it a program at all?"
    return (
        f"{case.inside} is a text without a '#!' line, so the kernel does not know what should run it.",
        f"Put #!/bin/sh on its first line, or run: {case.typed.command} /bin/sh {quote(case.inside)}",
    )


def _enoexec_of_interpreter(case: Case) -> Words | None:
    line = shebang(case.host or "")
    if line is None or line[0] in case.candidates:
        return None
    inner = Case(case.root, [line[0]], case.cwd, line[0], case.typed)
    words = _enoexec(inner)
    return words and (f"{case.inside} is a script for {line[0]}. {words[0]}", words[1])


def _foreign_elf(inside: str, info: ElfInfo) -> Words:
    here = os.uname().machine
    if info.machine == here:
        return f"The kernel does not accept the ELF file {inside}.", f"Is it a program? Look at it: readelf -h {inside}"
    return (
        f"{inside} is a program for {info.machine} ({info.bits} bit), and this machine is {here}.",
        f"Put a program for {here} into the image.",
    )


def _enotdir(case: Case) -> Words | None:
    for path in case.candidates:
        done = ""
        names = [name for name in case.absolute(path).split("/") if name]
        for name in names[:-1] if not path.endswith("/") else names:
            done = f"{done}/{name}"
            host = case.lookup(done)
            if host and not os.path.isdir(host):
                return (
                    f"{done} is a file, not a directory, so {path} cannot exist.",
                    case.look(os.path.dirname(done) or "/"),
                )
    return None


def _eloop(case: Case) -> Words | None:
    for path in case.candidates:
        try:
            host = case.root.look(path, case.cwd)
        except OSError as error:
            if error.errno == errno.ELOOP:
                return (
                    f"{path} leads through more than 40 symlinks; most likely they point at each other.",
                    "Follow them one by one with: readlink PATH",
                )
            continue
        if shebang(host):
            return f"{path} is a script whose interpreter is a script, and so on: too deep.", "Name a real program."
    return None


def _elibbad(case: Case) -> Words | None:
    info = inspect_elf(case.host) if case.host else None
    if info and info.interpreter:
        return (
            f"{case.inside} names {info.interpreter} as its ELF loader, and that file is no loader.",
            f"Was it copied completely? {ROOTFS_HINT}",
        )
    return None


def _too_big(_case: Case, _number: int) -> Words:
    return (
        "The arguments and the environment together are too large for execve: a single word may have 128 KiB, "
        "all of them a quarter of the stack limit.",
        "Pass long data on standard input (-i) or in a file.",
    )


def _busy(case: Case, _number: int) -> Words:
    return (
        f"{case.inside} is open for writing in some process, so the kernel does not run it.",
        f"Close it, or see who holds it: fuser -v {case.host or case.inside}",
    )


def _no_memory(case: Case, _number: int) -> Words:
    return f"There is not enough memory to start {case.inside}.", "If --mem is set, raise it."


def _no_files(case: Case, _number: int) -> Words:
    return (
        f"No file descriptor was left to look at {case.inside}: the limit on open files is too small.",
        "Standard input, output and errors take three. Raise it, for instance: --files 16",
    )


def _not_permitted(case: Case, _number: int) -> Words:
    return (
        f"The kernel does not permit this user to run {case.inside} (EPERM).",
        "A security module or a setuid file in a user namespace can be the reason. Try: mdock doctor",
    )


def _generic(case: Case, number: int) -> Words:
    name = errno.errorcode.get(number, str(number))
    return f"{case.inside} could not be run: {os.strerror(number)} ({name}).", case.look(
        os.path.dirname(case.absolute(case.inside)) or "/"
    )


_FIXED: dict[int, Callable[[Case, int], Words]] = {
    errno.E2BIG: _too_big,
    errno.ETXTBSY: _busy,
    errno.ENOMEM: _no_memory,
    errno.EMFILE: _no_files,
    errno.EPERM: _not_permitted,
}
