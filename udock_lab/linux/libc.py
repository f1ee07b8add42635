"""The C library, bound once, and the one place where its -1 becomes an OSError.

Everything is bound when a module of this room is imported, so that a forked child only calls.
"""

from __future__ import annotations

import ctypes
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["check", "libc", "raw_syscall"]

libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
_syscall = libc.syscall


def check(result: int, *names: str) -> int:
    """Turn -1 into an OSError with the thread's errno; ``names`` are the paths it is about."""
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), *names)
    return result


def raw_syscall(number: int, *arguments: Any) -> int:
    """Make a system call by its number (syscall(2)) where the C library has no function for it; -1 is returned.

    A plain int travels as a C int: wrap what is wider (``ctypes.c_size_t``).
    """
    result: int = _syscall(ctypes.c_long(number), *arguments)
    return result
