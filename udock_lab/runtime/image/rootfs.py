"""Make a root file system whose ``/bin/sh`` really starts inside a chroot.

A program alone is not enough: the kernel needs its ELF loader, and the loader its libraries, all found
below the new root. A static busybox needs neither, so it is taken where the machine has one; otherwise the
host's own programs are copied together with all they need, to the same paths.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
from collections.abc import Callable, Iterable
from contextlib import suppress
from shlex import quote

from udock_lab.errors import Conflict, MdockError, NotFound, StorageError, Unsupported, UsageError
from udock_lab.linux.elf import inspect_elf, libraries, static_program
from udock_lab.linux.mountpoints import mount_point, nearest_existing
from udock_lab.linux.resolve import resolve_in_root, shebang
from udock_lab.model.value import Value
from udock_lab.runtime.child.plan import DEFAULT_PATH
from udock_lab.runtime.image.copying import absolute
from udock_lab.runtime.state.home import DISK_FULL
from udock_lab.text.nearest import nearest
from udock_lab.text.terminal import printable

__all__ = ["HOST_PROGRAMS", "RootfsReport", "make_rootfs"]

# The host's programs that a first lesson needs; those the host lacks are left out, except sh.
HOST_PROGRAMS = (
    *("sh", "ls", "cat", "echo", "sleep", "true", "false", "ps", "env", "id", "pwd", "mkdir", "rm", "rmdir"),
    *("cp", "mv", "ln", "chmod", "touch", "head", "tail", "wc", "grep", "sort", "tr", "cut", "seq", "date"),
    *("hostname", "uname", "kill", "test", "printf", "readlink", "stat", "tty", "whoami", "mkfifo", "nice"),
)
# Asked before $PATH, which on a learner's machine leads through wrappers that mean nothing in another root.
_HOST_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_MARK = "etc/mdock-rootfs"
# Languages whose programs read a library of their own at the start, and how each names its folders.
_LANGUAGES = {
    "python": ("-I", "-c", "import sysconfig as s; print(s.get_path('stdlib'), s.get_path('platstdlib'), sep='\\n')"),
    "perl": ("-e", "print map {qq($_\\n)} @INC"),
    "ruby": ("-e", "puts $:"),
}
_MERGED = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
_FOLDERS = (("dev", 0o755), ("etc", 0o755), ("home", 0o755), ("proc", 0o555), ("root", 0o700), ("run", 0o755))
_MORE_FOLDERS = (("tmp", 0o1777), ("usr/bin", 0o755), ("usr/sbin", 0o755), ("var/log", 0o755), ("var/tmp", 0o1777))
_NODES = (("null", 1, 3), ("zero", 1, 5), ("random", 1, 8), ("urandom", 1, 9), ("tty", 5, 0))
_FILES = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n",
    "etc/group": "root:x:0:\nnogroup:x:65534:\n",
    "etc/hostname": "mdock-demo\n",
    "etc/hosts": "127.0.0.1 localhost mdock-demo\n",
    "etc/os-release": 'ID=mdock-demo\nNAME="mdock demo"\nPRETTY_NAME="mdock demo root file system"\n',
    "etc/motd": "Welcome inside the root file system. Try: ls /   cat /etc/hostname   echo $$\n",
    "root/hello.sh": '#!/bin/sh\necho "Hello from process $$, whose root is not the host\'s."\n',
}


class RootfsReport(Value):
    """What was made: ``path`` on the host, ``source`` ("busybox" or "host"), the programs' names, notes."""

    path: str
    source: str
    programs: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        shown = ", ".join(self.programs[:12]) + (", ..." if len(self.programs) > 12 else "")
        lines = [
            f"Root file system made: {self.path}",
            f"source: {self.source}",
            f"programs: {len(self.programs)} ({shown})",
            *(f"note: {note}" for note in self.notes),
            f"Make an image of it: mdock build NAME {self.path}",
        ]
        return "\n".join(map(printable, lines))


def make_rootfs(
    directory: str | os.PathLike[str],
    programs: Iterable[str] = (),
    *,
    log: Callable[[str], None] | None = None,
    source: str | None = None,
) -> RootfsReport:
    """Make a root file system in ``directory``: a shell, its friends, and the host's ``programs``.

    ``programs`` are names or paths on the host. ``source`` forces "busybox" or "host"; without it
    ``$MDOCK_ROOTFS_SOURCE`` may, and else a static busybox is preferred. ``log`` is told of each program.
    A directory made here before is completed, and files changed in it since are left alone. Raises
    NotFound (a program, with the nearest name), Conflict (another folder that is not empty), Unsupported
    (no static busybox although asked for), StorageError.
    """
    path = absolute(directory)
    source = source or os.environ.get("MDOCK_ROOTFS_SOURCE") or None
    if source not in (None, "busybox", "host"):
        raise UsageError(f"{source!r} is no source of programs.", "It is 'busybox' or 'host'.")
    busybox = None if source == "host" else _find_busybox()
    if source == "busybox" and busybox is None:
        raise Unsupported("This machine has no static busybox.", "Install it: apt-get install busybox-static")
    wanted = [_find_program(program) for program in programs]
    _refuse_foreign(path)
    maker = _Maker(path, log)
    try:
        maker.lay_out()
        maker.add_mark("busybox" if busybox else "host")
        if busybox:
            maker.add_busybox(busybox)
        else:
            maker.add_host_programs()
        for program in wanted:
            maker.add_program(program, os.path.basename(program))
        maker.add_files()
        maker.add_nodes()
    except OSError as error:
        raise _cannot_make(path, error) from error
    return RootfsReport(
        path=path,
        source="busybox" if busybox else "host",
        programs=tuple(sorted(maker.programs)),
        notes=tuple(maker.notes),
    )


def _cannot_make(path: str, error: OSError) -> StorageError:
    """Return the error that says why ``path`` stays unfinished.

    It may be gone when the hint is read; what the hint names is there.
    """
    if error.errno in DISK_FULL:
        return StorageError(
            f"No space is left to make {path}.", f"Make room there and try again: df -h {quote(mount_point(path))}"
        )
    return StorageError(
        f"{error.filename or path} cannot be made: {error.strerror}.",
        f"Choose a folder that you may write to: ls -ld {quote(nearest_existing(path))}",
    )


def _find_busybox() -> str | None:
    """Return a busybox that starts without a loader, or None.

    Debian's ``busybox`` may be dynamic: look inside.
    """
    for name in ("busybox", "busybox-static", "busybox.static"):
        path = shutil.which(name, path=_HOST_PATH) or shutil.which(name)
        if path and static_program(path):
            return path
    return None


def _find_program(program: str) -> str:
    """Return the host path of a program given by name or path; raise NotFound with the nearest name."""
    if not program or "\0" in program:
        raise UsageError(f"{program!r} is not the name of a program.", "For instance: mdock rootfs DIR ls grep")
    if os.path.isdir(program) and "/" in program:
        raise NotFound(f"{program} is a folder, not a program.", "For instance: mdock rootfs DIR ls grep")
    if "/" in program:
        path: str | None = os.path.abspath(program)
        if not os.path.isfile(path or ""):
            path = None
        folders = [os.path.dirname(os.path.abspath(program))]
    else:
        path = shutil.which(program, path=_HOST_PATH) or shutil.which(program)
        folders = [*_HOST_PATH.split(":"), *os.environ.get("PATH", "").split(":")]
    if path:
        return os.path.abspath(path)
    names: set[str] = set()
    for folder in folders:
        with suppress(OSError):
            names.update(os.listdir(folder or "."))
    wanted = os.path.basename(program)
    near = nearest(wanted, HOST_PROGRAMS, 0.75) or nearest(wanted, sorted(names))  # rather ls than lsns
    hint = f"Did you mean '{near}'?" if near else "Name a program of this machine, or give its path."
    raise NotFound(f"This machine has no program '{program}'.", hint)


def _refuse_foreign(path: str) -> None:
    """Refuse a folder with something in it that was not made here."""
    try:
        if os.listdir(path) and not os.path.isfile(f"{path}/{_MARK}"):
            raise Conflict(
                f"{path} is not empty, and was not made by mdock.",
                "Name a new or an empty folder; to make an image of this one: mdock build NAME " + path,
            )
    except FileNotFoundError:
        return
    except NotADirectoryError:
        raise Conflict(f"{path} is a file.", "Name a new or an empty folder.") from None
    except OSError as error:
        raise StorageError(f"{path} cannot be read: {error.strerror}.", f"Check: ls -ld {path}") from error


class _Maker:
    """The root file system while it is made. Paths without a leading slash lie inside it."""

    def __init__(self, root: str, log: Callable[[str], None] | None) -> None:
        self.root = root
        self.log = log
        self.programs: set[str] = set()
        self.notes: list[str] = []
        self.copied: set[str] = set()
        self.asked: set[str] = set()

    def lay_out(self) -> None:
        """Make the folders; on a merged-/usr host ``/bin`` is a symlink to ``usr/bin`` here too."""
        if not os.path.isdir(self.root):
            os.makedirs(self.root)
            os.chmod(self.root, 0o755)
        for name in _MERGED:
            self._merged_or_folder(name)
        for name, mode in (*_FOLDERS, *_MORE_FOLDERS):
            fresh = not os.path.lexists(f"{self.root}/{name}")
            folder = self._folder(name)
            if fresh:
                os.chmod(folder, mode)

    def _merged_or_folder(self, name: str) -> None:
        place = f"{self.root}/{name}"
        if os.path.lexists(place):
            return
        if os.path.islink(f"/{name}"):
            target = os.readlink(f"/{name}").lstrip("/")
            self._folder(target)
            os.symlink(target, place)
        elif name in ("bin", "sbin", "lib"):
            self._folder(name)

    def add_busybox(self, busybox: str) -> None:
        """Add one file, and a symlink to it for each of its applets."""
        self._say(f"busybox, from {busybox}")
        self._copy_file(os.path.realpath(busybox), "bin/busybox")
        listed = subprocess.run([busybox, "--list-full"], capture_output=True, text=True, check=False)
        applets = listed.stdout.split()
        if listed.returncode or not applets:  # built without this option
            listed = subprocess.run([busybox, "--list"], capture_output=True, text=True, check=False)
            applets = [f"bin/{name}" for name in listed.stdout.split()]
        home = self._place("bin/busybox")
        for applet in {*applets, "bin/sh"}:
            name = os.path.basename(applet)
            self.programs.add(name)
            place = self._place(applet.lstrip("/") if "/" in applet else f"bin/{applet}")
            if place != home and not os.path.lexists(place):
                os.symlink(os.path.relpath(home, os.path.dirname(place)), place)

    def add_host_programs(self) -> None:
        """Add the host's shell and the usual commands."""
        for name in HOST_PROGRAMS:
            path = shutil.which(name, path=_HOST_PATH)
            if path:
                self.add_program(path, name)
            elif name == "sh":
                raise NotFound("This machine has no /bin/sh.", "Install busybox-static: apt-get install busybox-static")

    def add_program(self, path: str, name: str, depth: int = 0) -> None:
        """Copy a host program to the same path, with its loader and libraries, or its interpreter."""
        self._say(f"{name}, from {path}")
        host = self._copy_path(path)
        self.programs.add(name)
        if depth == 0 and os.path.dirname(path) not in DEFAULT_PATH.split(":"):
            self.notes.append(f"{name} lies at {path} in there too, which is not in the PATH: run it by that path.")
        info = inspect_elf(host)
        if info is None:
            self._add_interpreter(host, name, depth)
            return
        if info.interpreter:
            self._copy_path(info.interpreter)
        report = libraries(host)
        for _, library in report.found:
            self._copy_path(library)
        self._help_loader(host, dict(report.found))
        self._note_language(path, name)
        if report.missing:
            self.notes.append(f"{name} needs libraries that this machine lacks too: {', '.join(report.missing)}.")

    def _note_language(self, path: str, name: str) -> None:
        """Say which folders a Python, Perl or Ruby reads besides its ELF libraries: they are not copied."""
        language = re.match(r"(python|perl|ruby)[0-9.]*$", name)
        if language is None or path in self.asked:
            return
        self.asked.add(path)
        try:
            words = [path, *_LANGUAGES[language[1]]]
            told = subprocess.run(words, capture_output=True, text=True, check=False, timeout=10, cwd="/").stdout
        except (OSError, subprocess.TimeoutExpired):
            told = ""
        folders = [folder for folder in dict.fromkeys(told.splitlines()) if os.path.isdir(folder)]
        folders = list(dict.fromkeys(place for folder in folders for place in (folder, os.path.realpath(folder))))
        missing = [folder for folder in folders if not os.path.isdir(self.root + folder)]
        if missing:
            self.notes.append(
                f"{name} reads a library of its own when it starts, which is not copied. "
                f"Copy it with: tar -C / -c {' '.join(place.lstrip('/') for place in missing)} | tar -C {self.root} -x"
            )

    def _add_interpreter(self, host: str, name: str, depth: int) -> None:
        line = shebang(host)
        if line is None or depth > 4:
            self.notes.append(f"{name} is neither an ELF program nor a script with a '#!' line; it is copied as it is.")
            return
        interpreter = line[0]
        if not os.path.isfile(interpreter):
            self.notes.append(f"{name} is a script for {interpreter}, which this machine lacks too.")
            return
        self.add_program(interpreter, os.path.basename(interpreter), depth + 1)
        if os.path.basename(interpreter) == "env" and line[1]:
            with suppress(MdockError):  # the script's own business: it is copied whatever env would find
                program = _find_program(line[1].removeprefix("-S").split()[0])
                self.add_program(program, os.path.basename(program), depth + 1)

    def _help_loader(self, host: str, found: dict[str, str]) -> None:
        """Link what the loader would not find again: the new root has no ld.so.cache (ldconfig(8)).

        A library that the host's /etc/ld.so.conf led to gets a symlink beside the C library.
        """
        inside = resolve_in_root(self.root, host)
        for soname in libraries(inside, self.root).missing:
            if soname in found:
                beside = os.path.dirname(found.get("libc.so.6", f"/usr/lib/{soname}"))
                place = self._place(f"{beside}/{soname}")
                if not os.path.lexists(place):
                    os.symlink(found[soname], place)

    def add_mark(self, source: str) -> None:
        """Say first that this folder is ours: when this is interrupted, the next attempt may complete it."""
        self._add_file(_MARK, f"made by mdock rootfs from: {source}\n")

    def add_files(self) -> None:
        """Add what a shell session looks for; a file that is there already is left as it is."""
        for name, text in _FILES.items():
            self._add_file(name, text)

    def _add_file(self, name: str, text: str) -> None:
        place = self._place(name)
        if not os.path.lexists(place):
            with open(place, "w", encoding="utf-8") as file:
                file.write(text)
            os.chmod(place, 0o755 if name.endswith(".sh") else 0o644)

    def add_nodes(self) -> None:
        """Make the device nodes that shells expect, where this user may; else an empty /dev/null and a note.

        A shell opens /dev/null for the standard input of each ``&`` (sh(1)), and only needs its end-of-file there.
        """
        for name, major, minor in _NODES:
            place = self._place(f"dev/{name}")
            if os.path.lexists(place):
                continue
            try:
                os.mknod(place, stat.S_IFCHR | 0o666, os.makedev(major, minor))
                os.chmod(place, 0o666)  # mknod's mode went through the umask
            except OSError as error:
                self.notes.append(
                    f"No device nodes in /dev ({error.strerror}; mknod needs root). "
                    "/dev/null is an ordinary file: empty at first, and what is written to it stays there."
                )
                self._add_file("dev/null", "")
                return
        try:
            os.close(os.open(self._place("dev/null"), os.O_WRONLY | os.O_CLOEXEC))
        except OSError as error:
            self.notes.append(f"/dev/null is there but cannot be opened ({error.strerror}): mounted with nodev?")

    # -- placing one thing -------------------------------------------------------------------------

    def _say(self, text: str) -> None:
        if self.log:
            self.log(text)

    def _folder(self, name: str) -> str:
        """Return the host path of a folder inside, made where it is missing. Symlinks lead nowhere but inside."""
        here = self.root
        done = ""
        for part in name.split("/"):
            if not part:
                continue
            done = f"{done}/{part}"
            if not os.path.lexists(f"{here}/{part}"):
                os.mkdir(f"{here}/{part}")
                os.chmod(f"{here}/{part}", 0o755)  # whatever the umask says
            here = resolve_in_root(self.root, done)
        return here

    def _place(self, name: str) -> str:
        """Return the host path for an entry inside, its folder made where it is missing."""
        folder, base = os.path.split(name.strip("/"))
        return f"{self._folder(folder)}/{base}"

    def _copy_path(self, path: str) -> str:
        """Bring a host file in under the same path, each symlink on the way included; its real host path.

        So ``/bin/sh`` on a merged-/usr Debian brings ``bin -> usr/bin``, ``usr/bin/sh -> dash`` and dash.
        """
        todo = [part for part in path.split("/") if part][::-1]
        done: list[str] = []
        links = 0
        while todo:
            part = todo.pop()
            if part in ("..", "."):
                done = done[:-1] if part == ".." else done
                continue
            here = "/" + "/".join([*done, part])
            if not os.path.islink(here):
                done.append(part)
                continue
            links += 1
            if links > 40:
                raise NotFound(f"{path} is a loop of symlinks.")
            target = os.readlink(here)
            self._copy_link(here, target)
            done = [] if target.startswith("/") else done
            todo.extend([piece for piece in target.split("/") if piece][::-1])
        real = "/" + "/".join(done)
        self._copy_file(real, real)
        return real

    def _copy_link(self, path: str, target: str) -> None:
        place = self._place(path)
        if os.path.islink(place):
            if os.readlink(place) == target:
                return
            os.unlink(place)
        if not os.path.lexists(place):
            os.symlink(target, place)

    def _copy_file(self, source: str, path: str) -> None:
        """Copy a regular file once, by way of a temporary name: a program that runs there keeps its own."""
        place = self._place(path)
        if place in self.copied:
            return
        self.copied.add(place)
        temporary = f"{place}.{os.getpid()}.new"
        try:
            shutil.copyfile(source, temporary)
            mode = stat.S_IMODE(os.stat(source).st_mode)
            os.chmod(temporary, mode & 0o777 | 0o500)  # never setuid: it would be setuid for the learner
            os.rename(temporary, place)
        except BaseException:
            with suppress(FileNotFoundError):
                os.unlink(temporary)
            raise
