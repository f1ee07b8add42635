"""A seccomp filter that refuses signals to chosen processes, without privilege (seccomp(2)).

A filter sees the numbers that a system call was given, not what they mean. It can therefore refuse -1 ("everybody
I may signal", kill(2)) and a list of pids that exist when it is made, and nothing cleverer. Where the kernel has
Landlock's signal scope, that is the better guard.
"""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Iterable

from udock_lab.linux.syscalls import PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, prctl

__all__ = ["refuse_signals"]

_MODE_FILTER = 2
_MOST = 4096  # BPF_MAXINSNS
_ALLOW = 0x7FFF0000
_REFUSE = 0x00050000 | errno.EPERM  # SECCOMP_RET_ERRNO

# linux/bpf_common.h: load a word at an offset, jump if equal, return
_LOAD, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x15, 0x06
_NUMBER_AT, _ARCH_AT, _FIRST_ARGUMENT_AT = 0, 4, 16  # struct seccomp_data, little-endian

# (AUDIT_ARCH, the calls that name a process in their first argument: kill, tkill, tgkill, rt_sigqueueinfo,
# rt_tgsigqueueinfo, pidfd_open)
_MACHINES = {
    "x86_64": (0xC000003E, (62, 200, 234, 129, 297, 434)),
    "aarch64": (0xC00000B7, (129, 130, 131, 138, 240, 434)),
}


class _Instruction(ctypes.Structure):
    """``struct sock_filter``."""

    _fields_ = (("code", ctypes.c_uint16), ("jt", ctypes.c_uint8), ("jf", ctypes.c_uint8), ("k", ctypes.c_uint32))


class _Program(ctypes.Structure):
    """``struct sock_fprog``."""

    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.POINTER(_Instruction)))


def refuse_signals(pids: Iterable[int]) -> None:
    """From now on kill(-1) and signals to ``pids`` (and to the groups they lead) answer EPERM. Cannot be undone.

    The filter has room for about a thousand pids; the first ones count. Raises OSError: ENOSYS on a machine
    whose system call numbers are not known here, EINVAL where the kernel was built without filters.
    """
    machine = os.uname().machine
    if machine not in _MACHINES:
        raise OSError(errno.ENOSYS, f"no filter is known for {machine}")
    lines = _filter(*_MACHINES[machine], list(pids))
    array = (_Instruction * len(lines))(*lines)
    program = _Program(len(lines), array)
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    prctl(PR_SET_SECCOMP, _MODE_FILTER, ctypes.addressof(program))


def _filter(arch: int, calls: tuple[int, ...], pids: list[int]) -> list[_Instruction]:
    """Another architecture's calls pass; ours are looked at if they name a process."""
    lines = [
        _Instruction(_LOAD, 0, 0, _ARCH_AT),
        _Instruction(_JUMP_IF_EQUAL, 1, 0, arch),
        _Instruction(_RETURN, 0, 0, _ALLOW),
        _Instruction(_LOAD, 0, 0, _NUMBER_AT),
    ]
    lines += [_Instruction(_JUMP_IF_EQUAL, len(calls) - at, 0, number) for at, number in enumerate(calls)]
    lines += [_Instruction(_RETURN, 0, 0, _ALLOW), _Instruction(_LOAD, 0, 0, _FIRST_ARGUMENT_AT)]
    for value in [-1, *(signed for pid in pids for signed in (pid, -pid))]:
        if len(lines) > _MOST - 3:
            break
        lines += [_Instruction(_JUMP_IF_EQUAL, 0, 1, value & 0xFFFFFFFF), _Instruction(_RETURN, 0, 0, _REFUSE)]
    return [*lines, _Instruction(_RETURN, 0, 0, _ALLOW)]
