"""Landlock's signal scope: a process that signals only its own kind, without privilege (landlock(7)).

From ABI 6 (Linux 6.12) on, a process may give up signalling anything outside its own domain. Children inherit
the domain. It is the kernel's own answer to ``kill(-1, 9)`` in a notebook.
"""

from __future__ import annotations

import ctypes
import os

from udock_lab.linux.syscalls import PR_SET_NO_NEW_PRIVS, prctl

__all__ = ["SIGNAL_SCOPE_ABI", "abi_version", "scope_signals"]

SIGNAL_SCOPE_ABI = 6

_SYS_CREATE_RULESET, _SYS_RESTRICT_SELF = 444, 446  # the same on every architecture: they came after the great merge
_CREATE_RULESET_VERSION = 1
_SCOPE_SIGNAL = 2

_libc = ctypes.CDLL(None, use_errno=True)
_syscall = _libc.syscall
_syscall.restype = ctypes.c_long


class _RulesetAttr(ctypes.Structure):
    """``struct landlock_ruleset_attr`` of linux/landlock.h, ABI 6."""

    _fields_ = (
        ("handled_access_fs", ctypes.c_uint64),
        ("handled_access_net", ctypes.c_uint64),
        ("scoped", ctypes.c_uint64),
    )


def abi_version() -> int:
    """The ABI this kernel speaks; 0 where landlock is missing or switched off."""
    return max(0, int(_syscall(_SYS_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint(_CREATE_RULESET_VERSION))))


def scope_signals() -> None:
    """From now on this process and all it forks signal nobody outside. Cannot be undone.

    Sets no_new_privs, which the kernel asks for (prctl(2)). Raises OSError: ENOSYS or EOPNOTSUPP without
    landlock, EINVAL below ABI 6.
    """
    attr = _RulesetAttr(0, 0, _SCOPE_SIGNAL)
    ruleset = _checked(_syscall(_SYS_CREATE_RULESET, ctypes.byref(attr), ctypes.c_size_t(24), ctypes.c_uint(0)))
    try:
        prctl(PR_SET_NO_NEW_PRIVS, 1)
        _checked(_syscall(_SYS_RESTRICT_SELF, ctypes.c_int(ruleset), ctypes.c_uint(0)))
    finally:
        os.close(ruleset)


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
