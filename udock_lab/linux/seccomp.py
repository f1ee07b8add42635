"""Seccomp: a process passes its system calls through a filter from now on (seccomp(2)). Filters: seccomp_filters.py.

Light, since each fork of a container copies it.
"""

from __future__ import annotations

import ctypes
import os
import sys

from udock_lab.linux.libc import check, raw_syscall
from udock_lab.linux.prctl import PR_SET_SECCOMP, prctl

__all__ = ["set_filter", "set_filter_with_listener"]

_POINTER = ctypes.sizeof(ctypes.c_void_p)
_MODE_FILTER = 2
_ROOM = ctypes.create_string_buffer(2 * _POINTER + 64 * 8)  # made before fork: a type of a size is dear to a child
_SYS_SECCOMP = {"x86_64": 317, "aarch64": 277}  # the call itself: only it hands over a listener
_SET_MODE_FILTER, _NEW_LISTENER = 1, 8  # SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER


def set_filter(code: bytes) -> None:
    """Put this process and its children behind the filter, for good.

    ``code`` is its instructions, 8 bytes each. Raises OSError: EACCES without CAP_SYS_ADMIN or no_new_privs (prctl(2)).
    """
    program = _program(code)
    prctl(PR_SET_SECCOMP, _MODE_FILTER, ctypes.addressof(program))


def set_filter_with_listener(code: bytes) -> int:
    """Set the filter; return the descriptor at which a listener answers calls that the filter holds.

    Raises OSError.
    """
    number = _SYS_SECCOMP.get(os.uname().machine, -1)
    program = _program(code)
    return check(raw_syscall(number, _SET_MODE_FILTER, _NEW_LISTENER, program))


def _program(code: bytes) -> ctypes.Array[ctypes.c_char]:
    """Return ``struct sock_fprog`` in front of its instructions, each a ``struct sock_filter``."""
    size = 2 * _POINTER + len(code)
    whole = _ROOM if size <= len(_ROOM) else ctypes.create_string_buffer(size)
    count = (len(code) // 8).to_bytes(2, sys.byteorder) + bytes(_POINTER - 2)
    whole.raw = count + (ctypes.addressof(whole) + 2 * _POINTER).to_bytes(_POINTER, sys.byteorder) + code
    return whole
