"""The ELF loader and the shared libraries that a program needs (elf(5), ld.so(8)).

The kernel starts a dynamic program by way of the loader named in its PT_INTERP segment; the loader then
finds the libraries. Both must exist inside a root file system before a program can start there.
pyelftools reads the files and is imported only when one is looked at.
"""

from __future__ import annotations

import errno
import fnmatch
import os
import stat
from functools import lru_cache
from typing import Any

from udock_lab.linux.inside import FolderInside, Inside
from udock_lab.model.value import Value

__all__ = ["ElfInfo", "LibraryReport", "inspect_elf", "libraries", "static_program"]

# What the loaders of Debian, Fedora, Arch and Alpine search without being told to, by machine.
_MULTIARCH = {
    "x86_64": "x86_64-linux-gnu",
    "i386": "i386-linux-gnu",
    "aarch64": "aarch64-linux-gnu",
    "arm": "arm-linux-gnueabihf",
    "riscv64": "riscv64-linux-gnu",
    "ppc64": "powerpc64le-linux-gnu",
    "s390x": "s390x-linux-gnu",
}
# e_machine as `uname -m` says it (elf(5)).
_MACHINES = {
    "EM_X86_64": "x86_64",
    "EM_386": "i386",
    "EM_AARCH64": "aarch64",
    "EM_ARM": "arm",
    "EM_RISCV": "riscv64",
    "EM_PPC64": "ppc64",
    "EM_S390": "s390x",
}


class ElfInfo(Value):
    """What an ELF file says of itself. ``machine`` is spelled as ``uname -m`` does; ``bits`` is 32 or 64.

    ``runpath`` holds the folders of DT_RUNPATH, or of DT_RPATH where there is no DT_RUNPATH
    (``inherited`` is then true: they hold for the libraries' libraries too).
    """

    interpreter: str | None
    needed: tuple[str, ...]
    runpath: tuple[str, ...]
    inherited: bool
    machine: str
    bits: int

    @property
    def is_static(self) -> bool:
        """Return whether it needs neither a loader nor a library."""
        return self.interpreter is None and not self.needed


class LibraryReport(Value):
    """``found`` are pairs of a name and the path inside the root; ``missing`` are names."""

    found: tuple[tuple[str, str], ...] = ()
    missing: tuple[str, ...] = ()


def inspect_elf(path: str | os.PathLike[str]) -> ElfInfo | None:
    """Read the ELF headers of the file at this host path; None when it is no (or a damaged) ELF file.

    Raises OSError when it cannot be read.
    """
    name = os.fspath(path)
    info = os.stat(name)
    if not stat.S_ISREG(info.st_mode):
        return None
    return _inspect(name, info.st_dev, info.st_ino, info.st_size, info.st_mtime_ns)


@lru_cache(maxsize=512)
def _inspect(path: str, _device: int, _inode: int, _size: int, _time: int) -> ElfInfo | None:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    with open(fd, "rb") as file:
        if file.read(4) != b"\x7fELF":
            return None
        from elftools.common.exceptions import ELFError
        from elftools.elf.elffile import ELFFile

        try:
            return _read(ELFFile(file))
        except (ELFError, ArithmeticError, AttributeError, LookupError, MemoryError, OSError, TypeError, ValueError):
            return None  # pyelftools follows a damaged file's numbers wherever they lead


def _read(elf: Any) -> ElfInfo:
    interpreter: str | None = None
    needed: list[str] = []
    runpath: list[str] = []
    rpath: list[str] = []
    for segment in elf.iter_segments():
        kind = segment["p_type"]
        if kind == "PT_INTERP":
            interpreter = segment.get_interp_name()
        elif kind == "PT_DYNAMIC":
            for tag in segment.iter_tags():
                if tag.entry.d_tag == "DT_NEEDED":
                    needed.append(tag.needed)
                elif tag.entry.d_tag == "DT_RUNPATH":
                    runpath += tag.runpath.split(":")
                elif tag.entry.d_tag == "DT_RPATH":
                    rpath += tag.rpath.split(":")
    machine = str(elf["e_machine"])
    return ElfInfo(
        interpreter=interpreter,
        needed=tuple(needed),
        runpath=tuple(runpath or rpath),
        inherited=not runpath and bool(rpath),
        machine=_MACHINES.get(machine, machine.removeprefix("EM_").lower()),
        bits=int(elf.elfclass),
    )


def static_program(path: str | os.PathLike[str]) -> bool:
    """Return whether this host file is an ELF program that starts without a loader."""
    try:
        info = inspect_elf(path)
    except OSError:
        return False
    return info is not None and info.is_static


def libraries(path: str | os.PathLike[str], root: str | Inside = "/") -> LibraryReport:
    """Find every library that the program at the host path ``path`` needs, and theirs, inside ``root``.

    The order is the loader's: DT_RPATH, DT_RUNPATH (with ``$ORIGIN``), the folders of /etc/ld.so.conf,
    the built-in ones. LD_LIBRARY_PATH is not asked: a container does not inherit it. The loader itself
    counts as found when it is there. Raises OSError when ``path`` cannot be read. Source: ld.so(8).
    """
    info = inspect_elf(path)
    if info is None or info.is_static:
        return LibraryReport()
    root = FolderInside(root) if isinstance(root, str) else root
    return _Search(root, info).run(os.fspath(path), info)


class _Object(Value):
    """A program or library on the way: where its ``$ORIGIN`` is, and the RPATHs it has from its loaders."""

    info: ElfInfo
    origin: str
    rpaths: tuple[str, ...] = ()


class _Search:
    """One look-up: the libraries of one program in one root."""

    def __init__(self, root: Inside, program: ElfInfo) -> None:
        self.root = root
        self.program = program
        self.folders = _default_folders(root, program)

    def run(self, path: str, info: ElfInfo) -> LibraryReport:
        found: dict[str, str] = {}
        missing: dict[str, None] = {}
        queue = [_Object(info=info, origin=self._origin(path))]
        self._find_loader(found)
        while queue:
            current = queue.pop(0)
            rpaths = current.rpaths + (self._expand(current) if current.info.inherited else ())
            for name in current.info.needed:
                if name in found or name in missing:
                    continue
                place = self._find(name, current, rpaths)
                if place is None:
                    missing[name] = None
                    continue
                found[name], host, library = place
                queue.append(_Object(info=library, origin=self._origin(host), rpaths=rpaths))
        return LibraryReport(found=tuple(found.items()), missing=tuple(missing))

    def _find_loader(self, found: dict[str, str]) -> None:
        """Add the loader: it is loaded already, so libraries that need it by name have it."""
        loader = self.program.interpreter
        if loader and self._lookup(loader):
            found[os.path.basename(loader)] = loader
            if "ld-musl" in loader:  # musl's loader is its C library
                found.update({name: loader for name in self.program.needed if name.startswith("libc.")})

    def _find(self, name: str, current: _Object, rpaths: tuple[str, ...]) -> tuple[str, str, ElfInfo] | None:
        if "/" in name:
            candidates = [name]
        else:
            own = () if current.info.inherited else self._expand(current)
            candidates = [f"{folder}/{name}" for folder in (*rpaths, *own, *self.folders)]
        for candidate in candidates:
            host = self._lookup(candidate)
            info = _readable(host) if host else None
            # A library for another machine is passed over, as the loader does.
            if host and info and (info.machine, info.bits) == (self.program.machine, self.program.bits):
                return candidate, host, info
        return None

    def _lookup(self, path: str) -> str | None:
        try:
            return self.root.look(path)
        except OSError:
            return None

    def _origin(self, host_path: str) -> str:
        """Return the folder of an object, as seen inside the root."""
        return self.root.inside(os.path.dirname(os.path.realpath(host_path)))

    def _expand(self, current: _Object) -> tuple[str, ...]:
        lib = "lib64" if current.info.bits == 64 else "lib"
        return tuple(
            folder.replace("${ORIGIN}", current.origin)
            .replace("$ORIGIN", current.origin)
            .replace("${LIB}", lib)
            .replace("$LIB", lib)
            for folder in current.info.runpath
            if folder
        )


def _readable(host: str) -> ElfInfo | None:
    try:
        return inspect_elf(host)
    except OSError:
        return None


def _default_folders(root: Inside, program: ElfInfo) -> tuple[str, ...]:
    """Return where the loader looks without being told to.

    ld.so.conf's folders come first, then the built-in ones.
    """
    wide = ("/lib64", "/usr/lib64") if program.bits == 64 else ("/lib32", "/usr/lib32")
    triplet = _MULTIARCH.get(program.machine)
    multi = (f"/lib/{triplet}", f"/usr/lib/{triplet}") if triplet else ()
    local = ("/usr/local/lib",) if program.interpreter and "ld-musl" in program.interpreter else ()
    configured = _configured_folders(root, "/etc/ld.so.conf", depth=0)
    return tuple(dict.fromkeys((*configured, *multi, *wide, "/lib", "/usr/lib", *local)))


def _configured_folders(root: Inside, path: str, depth: int) -> list[str]:
    """Return the folders that /etc/ld.so.conf names, with its ``include`` lines (ldconfig(8))."""
    folders: list[str] = []
    try:
        with open(root.look(path), encoding="utf-8", errors="surrogateescape") as file:
            lines = file.read().splitlines()
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.ELOOP, errno.EISDIR):
            return folders
        raise
    for line in lines:
        words = line.partition("#")[0].split()
        if words[:1] == ["include"]:
            for pattern in words[1:] if depth < 4 else ():
                for name in _matches(root, os.path.join(os.path.dirname(path), pattern)):
                    folders += _configured_folders(root, name, depth + 1)
        elif words and words[0].startswith("/"):
            folders.append(words[0].partition("=")[0])
    return folders


def _matches(root: Inside, pattern: str) -> list[str]:
    """Return paths inside the root whose last name matches, in order; the folder itself is taken literally."""
    folder, name = os.path.split(pattern)
    try:
        names = root.names(folder)
    except OSError:
        return []
    return [f"{folder}/{match}" for match in sorted(fnmatch.filter(names, name))]
