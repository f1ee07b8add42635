"""Does a program name an ELF loader? The one question that a plain run without chroot asks, and so it imports nothing.

:mod:`udock_lab.linux.elf` answers all others, with pyelftools.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal

__all__ = ["names_loader"]

_PT_INTERP = 3  # the segment that holds the loader's path (elf(5))
# Class: where e_phoff lies, its bytes, and where e_phentsize and e_phnum lie (Elf32_Ehdr, Elf64_Ehdr).
_LAYOUT = {1: (28, 4, 42, 44), 2: (32, 8, 54, 56)}
_MOST = 1 << 16  # bytes of program headers; a real program has some hundred


def names_loader(path: str | os.PathLike[str]) -> bool:
    """Return whether the file at this host path is an ELF program with a PT_INTERP segment.

    A damaged one has none.
    """
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        head = os.pread(fd, 64, 0)
        layout = _LAYOUT.get(head[4]) if len(head) >= 52 and head.startswith(b"\x7fELF") else None
        if layout is None:
            return False
        order: Literal["big", "little"] = "big" if head[5] == 2 else "little"
        at, width, size_at, count_at = layout
        offset = int.from_bytes(head[at : at + width], order)
        size = int.from_bytes(head[size_at : size_at + 2], order)
        count = int.from_bytes(head[count_at : count_at + 2], order)
        if not size or offset >= 1 << 63:
            return False
        table = os.pread(fd, min(size * count, _MOST), offset)
    finally:
        os.close(fd)
    return any(int.from_bytes(table[i : i + 4], order) == _PT_INTERP for i in range(0, len(table), size))
