"""Why a program did not start, from what is on disk.

``execve`` says ENOENT for four different things: the program is missing, it is a symlink to nothing, the
interpreter of a script is missing, or the ELF loader of a program is (execve(2)). A missing shared library
is a fifth thing and another story: there execve succeeds, and it is the loader that exits with 127.
"""

from __future__ import annotations

import errno
import os
import signal
import stat
from collections.abc import Callable, Sequence
from shlex import quote
from typing import NamedTuple

from udock_lab.linux.binfmt import emulator_for, foreign_machine
from udock_lab.linux.elf import ElfInfo, inspect_elf, libraries
from udock_lab.linux.mountpoints import mount_point
from udock_lab.linux.resolve import resolve_in_root, shebang
from udock_lab.model import ExitStatus, Limits

__all__ = [
    "explain_carriage_return",
    "explain_emulated",
    "explain_exec_failure",
    "explain_exit_127",
    "explain_limit",
]

_Words = tuple[str, str]  # message, hint
_WITHOUT_RETURNS = "-i 's/\\r$//'"
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
_ROOTFS_HINT = "mdock rootfs DIR PROGRAM copies a program together with its loader and libraries."


def explain_exec_failure(
    rootfs: str,
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

    ``candidates`` are the paths inside ``rootfs`` that were tried in turn, ``cwd`` is the working directory
    inside, ``argv0`` the word that was typed, ``container`` the id that ``exec`` was given, ``confined`` whether
    programs there see the image's root as theirs. Never raises OSError: what cannot be read is not explained.
    """
    case = _Case(rootfs, list(candidates) or [argv0], cwd or "/", argv0, _Typed(image or "IMAGE", container, confined))
    explainers: dict[int, Callable[[_Case], _Words | None]] = {
        errno.ENOENT: _enoent,
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


class _Typed(NamedTuple):
    """What the command line named: an image for ``run``, and a container too for ``exec``."""

    image: str
    container: str
    confined: bool

    @property
    def command(self) -> str:
        """What to begin the next command with."""
        return f"mdock exec {self.container}" if self.container else f"mdock run {self.image}"

    def with_option(self, option: str) -> str:
        """Say where an option of mdock stands, and what it must stand before."""
        if self.container:
            return f"before the container's id: mdock exec {option} ... {self.container}"
        return f"before the image's name: mdock run {option} ... {self.image}"


class _Case:
    """One failed exec. ``inside`` is the path that existed (or the first tried), ``host`` its file, if any."""

    def __init__(self, rootfs: str, candidates: list[str], cwd: str, argv0: str, typed: _Typed) -> None:
        self.rootfs, self.candidates, self.cwd, self.argv0 = rootfs, candidates, cwd, argv0
        self.typed = typed
        self.inside = candidates[0]
        self.host: str | None = None
        for path in candidates:
            host = self.lookup(path)
            if host:
                self.inside, self.host = path, host
                break

    def lookup(self, path: str) -> str | None:
        try:
            return resolve_in_root(self.rootfs, path, self.cwd)
        except OSError:
            return None

    def absolute(self, path: str) -> str:
        return path if path.startswith("/") else f"{self.cwd.rstrip('/')}/{path}"

    def look(self, folder: str) -> str:
        """Return a command that shows a folder: the image's own ls, or one from outside where it has none."""
        if not any(map(self.lookup, ("/bin/ls", "/usr/bin/ls"))):
            return f"See what is there: ls -la {quote(self.lookup(folder) or self.rootfs)}"
        return f"See what is there: {self.typed.command} ls {quote(folder)}"

    def mend(self, program: str, argument: str, inside: str) -> str:
        """Return what to do to the file: in the running container, or in the folder that the image is built from."""
        host = self.lookup(inside)
        if self.typed.container and host and not self.typed.confined:  # there, a program's paths are the host's
            return f"Mend it here: {program} {argument} {quote(host)}"
        if self.typed.container and any(map(self.lookup, (f"/bin/{program}", f"/usr/bin/{program}"))):
            return f"Mend it in there: {self.typed.command} {program} {argument} {quote(self.absolute(inside))}"
        path = quote(self.absolute(inside).lstrip("/"))
        build = f"mdock build --force {self.typed.image} ."
        return f"In the directory you build from: {program} {argument} {path}   then: {build}"


# -- ENOENT --------------------------------------------------------------------------------------------


def _enoent(case: _Case) -> _Words | None:
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


def _broken_start(case: _Case, inside: str, host: str, depth: int) -> _Words | None:
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
                f"Take the carriage returns out. {case.mend('sed', _WITHOUT_RETURNS, inside)}",
            )
        return (
            f"{inside} is a script for {interpreter}, and {interpreter} does not exist inside the image.",
            f"Copy the interpreter into the image, or change the script's first line. {_ROOTFS_HINT}",
        )
    machine = foreign_machine(host)
    if machine and depth <= 5:
        return _broken_emulation(case, inside, host, machine, depth)
    info = inspect_elf(host)
    if info and info.interpreter and not case.lookup(info.interpreter):
        return (
            f"{inside} exists, but its ELF loader {info.interpreter} does not exist inside the image.",
            f"A dynamic program needs its loader and its libraries inside too. {_ROOTFS_HINT}",
        )
    return None


def _broken_emulation(case: _Case, inside: str, host: str, machine: str, depth: int) -> _Words | None:
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


def _dangling_link(case: _Case, path: str) -> tuple[str, str] | None:
    """Return the first symlink on the way whose target does not exist: (its path inside, its target)."""
    todo = [name for name in case.absolute(path).split("/") if name]
    done = ""
    for name in todo:
        here = f"{done}/{name}"
        if case.lookup(here):
            done = here
            continue
        folder = case.lookup(done or "/")
        for _ in range(40):
            if not folder or not os.path.islink(f"{folder}/{name}"):
                return None
            target = os.readlink(f"{folder}/{name}")
            following = target if target.startswith("/") else f"{done}/{target}"
            parent, base = os.path.split(following)
            deeper = case.lookup(parent or "/")
            if not deeper or not os.path.islink(f"{deeper}/{base}"):
                return f"{done}/{name}", target
            done, folder, name = parent.rstrip("/"), deeper, base
        return None
    return None


def _missing_program(case: _Case) -> _Words:
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


def _is_there(case: _Case, program: str, folders: Sequence[str]) -> bool:
    """Return whether this word alone would have started a program."""
    if "/" in program:
        return case.lookup(program) is not None
    return any(case.lookup(f"{folder}/{program}") for folder in (*folders, "/bin", "/usr/bin"))


def _first_missing(case: _Case, folder: str) -> str | None:
    done = ""
    for name in [name for name in folder.split("/") if name]:
        done = f"{done}/{name}"
        if not case.lookup(done):
            return done
    return None


def _nearest(case: _Case, folders: Sequence[str], name: str) -> str | None:
    names: set[str] = set()
    for folder in folders:
        host = case.lookup(folder)
        if host and os.path.isdir(host):
            names.update(os.listdir(host))
    from udock_lab.text.nearest import nearest

    names -= {name, *_NEVER_GUESSED}  # it was tried already, and is no program then
    return nearest(name, sorted(names))


# -- EACCES, ENOEXEC and the rest ----------------------------------------------------------------------


def _eacces(case: _Case) -> _Words | None:
    case = _refused_case(case)
    if not case.host:
        return (
            f"A folder on the way to {case.inside} may not be searched by this user.",
            "Each folder needs the x permission. Look along the path: "
            f"namei -l {case.rootfs}{case.absolute(case.inside)}",
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


def _refused_case(case: _Case) -> _Case:
    """Return the candidate that was refused: execvp goes on to the next folder after EACCES."""
    for path in case.candidates:
        host = case.lookup(path)
        if host and (not os.path.isfile(host) or not os.access(host, os.X_OK)):
            return _Case(case.rootfs, [path], case.cwd, case.argv0, case.typed)
    return case


def _not_executable(case: _Case, inside: str, host: str) -> _Words | None:
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


def _enoexec(case: _Case) -> _Words | None:
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


def _enoexec_of_interpreter(case: _Case) -> _Words | None:
    line = shebang(case.host or "")
    if line is None or line[0] in case.candidates:
        return None
    inner = _Case(case.rootfs, [line[0]], case.cwd, line[0], case.typed)
    words = _enoexec(inner)
    return words and (f"{case.inside} is a script for {line[0]}. {words[0]}", words[1])


def _foreign_elf(inside: str, info: ElfInfo) -> _Words:
    here = os.uname().machine
    if info.machine == here:
        return f"The kernel does not accept the ELF file {inside}.", f"Is it a program? Look at it: readelf -h {inside}"
    return (
        f"{inside} is a program for {info.machine} ({info.bits} bit), and this machine is {here}.",
        f"Put a program for {here} into the image.",
    )


def _enotdir(case: _Case) -> _Words | None:
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


def _eloop(case: _Case) -> _Words | None:
    for path in case.candidates:
        try:
            host = resolve_in_root(case.rootfs, path, case.cwd)
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


def _elibbad(case: _Case) -> _Words | None:
    info = inspect_elf(case.host) if case.host else None
    if info and info.interpreter:
        return (
            f"{case.inside} names {info.interpreter} as its ELF loader, and that file is no loader.",
            f"Was it copied completely? {_ROOTFS_HINT}",
        )
    return None


def _too_big(_case: _Case, _number: int) -> _Words:
    return (
        "The arguments and the environment together are too large for execve: a single word may have 128 KiB, "
        "all of them a quarter of the stack limit.",
        "Pass long data on standard input (-i) or in a file.",
    )


def _busy(case: _Case, _number: int) -> _Words:
    return (
        f"{case.inside} is open for writing in some process, so the kernel does not run it.",
        f"Close it, or see who holds it: fuser -v {case.host or case.inside}",
    )


def _no_memory(case: _Case, _number: int) -> _Words:
    return f"There is not enough memory to start {case.inside}.", "If --mem is set, raise it."


def _no_files(case: _Case, _number: int) -> _Words:
    return (
        f"No file descriptor was left to look at {case.inside}: the limit on open files is too small.",
        "Standard input, output and errors take three. Raise it, for instance: --files 16",
    )


def _not_permitted(case: _Case, _number: int) -> _Words:
    return (
        f"The kernel does not permit this user to run {case.inside} (EPERM).",
        "A security module or a setuid file in a user namespace can be the reason. Try: mdock doctor",
    )


def _generic(case: _Case, number: int) -> _Words:
    name = errno.errorcode.get(number, str(number))
    return f"{case.inside} could not be run: {os.strerror(number)} ({name}).", case.look(
        os.path.dirname(case.absolute(case.inside)) or "/"
    )


_FIXED: dict[int, Callable[[_Case, int], _Words]] = {
    errno.E2BIG: _too_big,
    errno.ETXTBSY: _busy,
    errno.ENOMEM: _no_memory,
    errno.EMFILE: _no_files,
    errno.EPERM: _not_permitted,
}


# -- 127 from the loader -------------------------------------------------------------------------------


def explain_exit_127(rootfs: str, program_host_path: str) -> str | None:
    """Name the shared libraries that ``rootfs`` lacks: the program was started, yet the code is 127.

    None when none is missing: then 127 is the program's own word (a shell says so of a command it did not
    find). For a script the interpreter is looked at. Never raises OSError.
    """
    try:
        program = program_host_path
        for _ in range(5):
            line = shebang(program)
            if line is None:
                break
            program = resolve_in_root(rootfs, line[0])
        info = inspect_elf(program)
        missing = libraries(program, rootfs).missing
    except OSError:
        return None
    if info is None or not missing:
        return None
    noun = "library" if len(missing) == 1 else "libraries"
    return (
        f"execve succeeded, then the loader {info.interpreter} did not find the shared {noun} "
        f"{', '.join(missing)} inside the image and exited with 127. The loader, not execve, said no, "
        f"so there is no EXEC_FAIL. {_ROOTFS_HINT}"
    )


def explain_emulated(rootfs: str, program_host_path: str) -> str | None:
    """Say what an emulator lacked, for a program of another machine that was started and has failed.

    None where nothing is missing, or the program is this machine's. Never raises OSError.
    """
    try:
        machine = foreign_machine(program_host_path)
        info = inspect_elf(program_host_path) if machine else None
        if info is None or info.interpreter is None:
            return None
        resolve_in_root(rootfs, info.interpreter)
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
        f"{line[1]!r} as its argument. Take the carriage returns out: sed {_WITHOUT_RETURNS} {quote(inside)}"
    )


# -- ended by a limit ----------------------------------------------------------------------------------


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
