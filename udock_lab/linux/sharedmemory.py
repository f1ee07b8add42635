"""Memory that processes share (mmap(2))."""

from __future__ import annotations

import ctypes

from udock_lab.linux.libc import libc

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["map_shared"]

_READ, _WRITE, _SHARED = 1, 2, 1
_mmap = libc.mmap
_mmap.restype = ctypes.c_void_p
_mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]


def map_shared(descriptor: int, size: int) -> memoryview[Any] | None:
    """Map so many bytes of a file; None where that is refused.

    The descriptor may be closed then. The module mmap would keep one of its own, which learners would see.
    """
    address = _mmap(None, size, _READ | _WRITE, _SHARED, descriptor, 0)
    if address is None or address == ctypes.c_void_p(-1).value:
        return None
    return memoryview((ctypes.c_char * size).from_address(address)).cast("B")
