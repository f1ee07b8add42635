"""Seccomp filters: signals to chosen processes refused, user namespaces, chroot; no privilege needed (seccomp(2)).

A filter sees the numbers that a system call was given, not what they mean. It can therefore refuse -1 ("everybody
I may signal", kill(2)) and a list of pids that exist when it is made, and nothing cleverer. Where the kernel has
Landlock's signal scope, that is the better guard.
"""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Iterable
from functools import cache

from udock_lab.linux.namespaces import CLONE_NEWUSER
from udock_lab.linux.prctl import PR_SET_NO_NEW_PRIVS, prctl
from udock_lab.linux.seccomp import set_filter, set_filter_with_listener

__all__ = ["kill_all_refused", "listener", "refuse_chroot", "refuse_user_namespaces", "signals_refused"]

_MOST = 4096  # BPF_MAXINSNS
_ALLOW = 0x7FFF0000
_ANSWER = 0x00050000  # SECCOMP_RET_ERRNO, the number in its low half
_REFUSE = _ANSWER | errno.EPERM
_UNKNOWN = _ANSWER | errno.ENOSYS
_ASK = 0x7FC00000  # SECCOMP_RET_USER_NOTIF

# linux/bpf_common.h: load a word at an offset, jump if equal, jump if any of these bits is set, return
_LOAD, _JUMP_IF_EQUAL, _JUMP_IF_SET, _RETURN = 0x20, 0x15, 0x45, 0x06
_NUMBER_AT, _ARCH_AT, _FIRST_ARGUMENT_AT = 0, 4, 16  # struct seccomp_data, little-endian

# (AUDIT_ARCH, the calls that name a process in their first argument: kill, tkill, tgkill, rt_sigqueueinfo,
# rt_tgsigqueueinfo, pidfd_open)
_MACHINES = {
    "x86_64": (0xC000003E, (62, 200, 234, 129, 297, 434)),
    "aarch64": (0xC00000B7, (129, 130, 131, 138, 240, 434)),
}
_NAMESPACE_CALLS = {"x86_64": (56, 272), "aarch64": (220, 97)}  # clone, unshare: flags in the first argument
_CHROOT = {"x86_64": 161, "aarch64": 51}
# AUDIT_ARCH (linux/audit.h) to kill's number, for each ABI in which a program on one of these machines may call it:
# x86_64 (with x32, whose numbers have bit 30 set), i386, aarch64, arm, riscv64, ppc64le, loongarch64.
_KILL = {
    0xC000003E: (62, 0x40000000 | 62),
    0x40000003: (37,),
    0xC00000B7: (129,),
    0x40000028: (37,),
    0xC00000F3: (129,),
    0xC0000015: (37,),
    0xC0000102: (129,),
}
_EVERYBODY = 0xFFFFFFFF  # -1 as kill's pid: the kernel looks at 32 bits, whatever stands above them (pid_t)
_CLONE3 = 435  # everywhere; its flags lie in memory, where no filter looks


class _Instruction(ctypes.Structure):
    """``struct sock_filter``."""

    _fields_ = (("code", ctypes.c_uint16), ("jt", ctypes.c_uint8), ("jf", ctypes.c_uint8), ("k", ctypes.c_uint32))


@cache  # the same each time, and wanted at each run of a notebook
def kill_all_refused() -> bytes:
    """Return a filter for :func:`~udock_lab.linux.seccomp.set_filter`: kill(-1) answers EPERM, all else passes.

    kill(2) is the one call that signals everybody; killpg(1) comes down to it, too.
    """
    lines = [_Instruction(_LOAD, 0, 0, _ARCH_AT)]
    for arch, numbers in _KILL.items():
        lines += [
            _Instruction(_JUMP_IF_EQUAL, 0, 6 + len(numbers), arch),
            _Instruction(_LOAD, 0, 0, _NUMBER_AT),
            *(_Instruction(_JUMP_IF_EQUAL, len(numbers) - at, 0, number) for at, number in enumerate(numbers)),
            _Instruction(_RETURN, 0, 0, _ALLOW),
            _Instruction(_LOAD, 0, 0, _FIRST_ARGUMENT_AT),
            _Instruction(_JUMP_IF_EQUAL, 0, 1, _EVERYBODY),
            _Instruction(_RETURN, 0, 0, _REFUSE),
            _Instruction(_RETURN, 0, 0, _ALLOW),
        ]
    return b"".join(map(bytes, [*lines, _Instruction(_RETURN, 0, 0, _ALLOW)]))


def signals_refused(pids: Iterable[int]) -> bytes:
    """Return a filter: kill(-1) and signals to ``pids`` (and to the groups they lead) answer EPERM.

    It has room for about a thousand pids; the first ones count. Raises OSError: ENOSYS on a machine whose system call
    numbers are not known here.
    """
    arch, calls = _MACHINES[_machine()]
    return b"".join(map(bytes, _filter(arch, calls, list(pids))))


def refuse_user_namespaces() -> None:
    """Refuse new user namespaces from now on, as on a hardened hub: EPERM.

    clone3 answers ENOSYS, on which the C library falls back to clone. Cannot be undone; children inherit it. Raises
    OSError: ENOSYS on a machine whose system call numbers are not known here, EINVAL where the kernel was built without
    filters.
    """
    machine = _machine()
    clone, unshare = _NAMESPACE_CALLS[machine]
    _install([
        _Instruction(_LOAD, 0, 0, _ARCH_AT),
        _Instruction(_JUMP_IF_EQUAL, 0, 6, _MACHINES[machine][0]),
        _Instruction(_LOAD, 0, 0, _NUMBER_AT),
        _Instruction(_JUMP_IF_EQUAL, 5, 0, _CLONE3),
        _Instruction(_JUMP_IF_EQUAL, 1, 0, clone),
        _Instruction(_JUMP_IF_EQUAL, 0, 2, unshare),
        _Instruction(_LOAD, 0, 0, _FIRST_ARGUMENT_AT),
        _Instruction(_JUMP_IF_SET, 2, 0, CLONE_NEWUSER),
        _Instruction(_RETURN, 0, 0, _ALLOW),
        _Instruction(_RETURN, 0, 0, _UNKNOWN),
        _Instruction(_RETURN, 0, 0, _REFUSE),
    ])  # fmt: skip


def refuse_chroot(error: int) -> None:
    """Make each chroot answer ``error`` (an errno) from now on, as a security module or a broken disk would.

    Cannot be undone; children inherit it. Raises OSError as :func:`refuse_user_namespaces`.
    """
    machine = _machine()
    _install([
        _Instruction(_LOAD, 0, 0, _ARCH_AT),
        _Instruction(_JUMP_IF_EQUAL, 0, 3, _MACHINES[machine][0]),
        _Instruction(_LOAD, 0, 0, _NUMBER_AT),
        _Instruction(_JUMP_IF_EQUAL, 0, 1, _CHROOT[machine]),
        _Instruction(_RETURN, 0, 0, _ANSWER | error),
        _Instruction(_RETURN, 0, 0, _ALLOW),
    ])  # fmt: skip


def listener(calls: Iterable[int]) -> int:
    """Make these system calls wait from now on until a process with the returned descriptor lets them go on.

    ``calls`` are numbers of this machine. Inherited by children, and cannot be undone. Raises OSError: as
    :func:`refuse_user_namespaces`, EBUSY where another listener is at work already.
    """
    machine = _machine()
    numbers = sorted(set(calls) - {0})
    lines = [
        _Instruction(_LOAD, 0, 0, _ARCH_AT),
        _Instruction(_JUMP_IF_EQUAL, 1, 0, _MACHINES[machine][0]),
        _Instruction(_RETURN, 0, 0, _ALLOW),
        _Instruction(_LOAD, 0, 0, _NUMBER_AT),
        *(_Instruction(_JUMP_IF_EQUAL, len(numbers) - at, 0, number) for at, number in enumerate(numbers)),
        _Instruction(_RETURN, 0, 0, _ALLOW),
        _Instruction(_RETURN, 0, 0, _ASK),
    ]
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    return set_filter_with_listener(b"".join(map(bytes, lines)))


def _machine() -> str:
    machine = os.uname().machine
    if machine not in _MACHINES:
        raise OSError(errno.ENOSYS, f"no filter is known for {machine}")
    return machine


def _install(lines: list[_Instruction]) -> None:
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    set_filter(b"".join(map(bytes, lines)))


def _filter(arch: int, calls: tuple[int, ...], pids: list[int]) -> list[_Instruction]:
    """Return a filter: another architecture's calls pass; ours are looked at if they name a process."""
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
