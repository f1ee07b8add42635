"""Programs for other machines, and what the kernel starts for them (admin-guide/binfmt-misc.rst).

The kernel refuses an ELF file of another machine with ENOEXEC, unless somebody has registered an emulator for it, as
Docker Desktop and Debian's qemu-user-static do. Then the emulator is started in its place: opened beforehand, where it
was registered with the flag F, else looked up inside the caller's root.
"""

from __future__ import annotations

import os

__all__ = ["emulator_for", "foreign_machine"]

_REGISTERED = "/proc/sys/fs/binfmt_misc"
_HEAD = 256  # bytes of a file that the kernel compares (BINPRM_BUF_SIZE)
# e_machine as `uname -m` says it (elf(5)), and the older machine whose programs the kernel of a newer one may run.
_MACHINES = {3: "i386", 21: "ppc64", 22: "s390x", 40: "arm", 62: "x86_64", 183: "aarch64", 243: "riscv64"}
_ALSO_RUN = {"x86_64": "i386", "aarch64": "arm"}


def foreign_machine(path: str | os.PathLike[str]) -> str | None:
    """Return the machine that the ELF file at this host path was made for, if this one does not run its programs.

    Raises OSError when it cannot be read.
    """
    head = _head(path)
    if not head.startswith(b"\x7fELF") or len(head) < 20:
        return None
    number = int.from_bytes(head[18:20], "big" if head[5] == 2 else "little")
    machine, here = _MACHINES.get(number, f"machine {number}"), os.uname().machine
    return None if machine in (here, _ALSO_RUN.get(here)) else machine


def emulator_for(path: str | os.PathLike[str]) -> str | None:
    """Return the path of the emulator that is registered for the file at this host path; None where none is seen."""
    try:
        head = _head(path)
        names = sorted(set(os.listdir(_REGISTERED)) - {"register", "status"})
    except OSError:
        return None
    for name in names:
        try:
            with open(f"{_REGISTERED}/{name}") as file:
                entry = _fields(file.read())
        except OSError:  # it was unregistered meanwhile
            continue
        if "enabled" in entry and _fits(entry, head):
            return entry.get("interpreter")
    return None


def _head(path: str | os.PathLike[str]) -> bytes:
    with open(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK), "rb") as file:
        return file.read(_HEAD)


def _fields(text: str) -> dict[str, str]:
    """Return the words of an entry and what they say.

    ``interpreter /usr/bin/qemu``, ``flags: PF``, ``magic 7f454c46``.
    """
    return {word: value for word, _, value in (line.partition(" ") for line in text.splitlines())}


def _fits(entry: dict[str, str], head: bytes) -> bool:
    """Return whether the magic bytes are at their offset, as far as the mask goes.

    An entry for a file name's end fits no program here.
    """
    magic = bytes.fromhex(entry.get("magic", ""))
    mask = bytes.fromhex(entry.get("mask", "")) or b"\xff" * len(magic)
    part = head[int(entry.get("offset", "0")) :][: len(magic)]
    return bool(magic) and bytes(a & m for a, m in zip(part, mask, strict=False)) == bytes(
        a & m for a, m in zip(magic, mask, strict=False)
    )
