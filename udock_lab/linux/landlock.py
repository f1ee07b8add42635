"""Landlock: a process gives up rights for itself and all it forks, without privilege (landlock(7)).

From ABI 6 (Linux 6.12) on, it may give up signalling anything outside its own domain: the kernel's own answer to
``kill(-1, 9)`` in a notebook. And it may keep to a few folders; what Landlock does not refuse even then is stat,
chdir, chmod, chown, and a change of a file's times.
"""

from __future__ import annotations

import ctypes
import os
import stat
import struct

from udock_lab.linux.libc import check, raw_syscall
from udock_lab.linux.prctl import PR_SET_NO_NEW_PRIVS, prctl

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["FILES_ABI", "SIGNAL_SCOPE_ABI", "TCP_ABI", "abi_version", "asked_abi_version", "keep_to", "scope_signals"]

FILES_ABI = 3  # Linux 6.2: before, files could be emptied (truncate(2)), or not be renamed from folder to folder
TCP_ABI = 4
_DEVICES_ABI = 5
SIGNAL_SCOPE_ABI = 6

_SYS_CREATE_RULESET, _SYS_ADD_RULE, _SYS_RESTRICT_SELF = 444, 445, 446  # on every architecture
_CREATE_RULESET_VERSION = 1
_RULE_PATH_BENEATH = 1
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR, _TRUNCATE, _IOCTL_DEV = 1, 2, 4, 8, 1 << 14, 1 << 15
_ALL_OF_FILES = (1 << 15) - 1  # those, and to make, to remove and to move: bits 0 to 14
_OF_ONE_FILE = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEV
_BIND_AND_CONNECT_TCP = 3
_SCOPE_ABSTRACT_SOCKETS, _SCOPE_SIGNAL = 1, 2


class _RulesetAttr(ctypes.Structure):
    """``struct landlock_ruleset_attr`` of linux/landlock.h, ABI 6."""

    _fields_ = (
        ("handled_access_fs", ctypes.c_uint64),
        ("handled_access_net", ctypes.c_uint64),
        ("scoped", ctypes.c_uint64),
    )


def asked_abi_version() -> int:
    """Return the ABI that this kernel speaks. OSError: ENOSYS where Landlock is missing, EOPNOTSUPP where it is off."""
    return check(raw_syscall(_SYS_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint(_CREATE_RULESET_VERSION)))


def abi_version() -> int:
    """Return the ABI that this kernel speaks; 0 where it has no Landlock."""
    try:
        return asked_abi_version()
    except OSError:
        return 0


def scope_signals() -> None:
    """Keep this process and all it forks from signalling anything outside. Cannot be undone.

    Sets no_new_privs, which the kernel asks for (prctl(2)). Raises OSError: ENOSYS or EOPNOTSUPP without
    landlock, EINVAL below ABI 6.
    """
    ruleset = _ruleset(_RulesetAttr(0, 0, _SCOPE_SIGNAL))
    try:
        _restrict(ruleset)
    finally:
        os.close(ruleset)


def keep_to(*, reading: Iterable[str], devices: Iterable[str], writing: Iterable[str]) -> bool:
    """Allow reading and executing only below ``reading``, everything only below ``writing``, from now on.

    ``devices`` may be read and written. Names can be seen everywhere, as stat shows them anyway: whoever changes root
    may want a descriptor of the old one. Descriptors that are open stay as they are; paths that cannot be opened are
    passed over. From TCP_ABI on it neither listens nor connects; from SIGNAL_SCOPE_ABI on it signals nobody outside and
    reaches no abstract socket of others (unix(7)), and True is returned. Not to be combined with scope_signals: two
    rulesets together refuse to move a file to another folder. Cannot be undone; children inherit it. Raises OSError,
    as below FILES_ABI.
    """
    version = abi_version()
    if version < FILES_ABI:
        raise OSError(95, f"Landlock ABI {version} is too old")
    handled = _ALL_OF_FILES | (_IOCTL_DEV if version >= _DEVICES_ABI else 0)
    tcp = _BIND_AND_CONNECT_TCP if version >= TCP_ABI else 0
    scoped = _SCOPE_ABSTRACT_SOCKETS | _SCOPE_SIGNAL if version >= SIGNAL_SCOPE_ABI else 0
    ruleset = _ruleset(_RulesetAttr(handled, tcp, scoped))
    try:
        for paths, rights in (
            (("/",), _READ_DIR),
            (reading, _EXECUTE | _READ_FILE | _READ_DIR),
            (devices, _READ_FILE | _WRITE_FILE | _IOCTL_DEV),
            (writing, handled),
        ):
            for path in paths:
                _permit(ruleset, path, rights & handled)
        _restrict(ruleset)
    finally:
        os.close(ruleset)
    return scoped != 0


def _permit(ruleset: int, path: str, rights: int) -> None:
    """Permit this below a folder, or for one file."""
    try:
        fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        rights &= -1 if stat.S_ISDIR(os.fstat(fd).st_mode) else _OF_ONE_FILE
        rule = struct.pack("=Qi", rights, fd)  # struct landlock_path_beneath_attr
        arguments = ctypes.c_int(ruleset), ctypes.c_int(_RULE_PATH_BENEATH), rule, ctypes.c_uint(0)
        check(raw_syscall(_SYS_ADD_RULE, *arguments))
    finally:
        os.close(fd)


def _ruleset(attr: _RulesetAttr) -> int:
    return check(raw_syscall(_SYS_CREATE_RULESET, ctypes.byref(attr), ctypes.c_size_t(24), ctypes.c_uint(0)))


def _restrict(ruleset: int) -> None:
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    check(raw_syscall(_SYS_RESTRICT_SELF, ctypes.c_int(ruleset), ctypes.c_uint(0)))
