"""Capabilities: the parts that root's power is made of, by number and by name (capabilities(7)).

A process has them in sets: *permitted* is what it may use, *effective* what it uses now, and the *bounding* set is the
most that a program it executes can gain.
"""

from __future__ import annotations

import ctypes
import sys

from udock_lab.linux.libc import check, libc
from udock_lab.linux.prctl import PR_CAPBSET_DROP, prctl

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "ALL",
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_MKNOD",
    "CAP_NET_BIND_SERVICE",
    "CAP_NET_RAW",
    "CAP_SETGID",
    "CAP_SETPCAP",
    "CAP_SETUID",
    "CAP_SYS_CHROOT",
    "NAMES",
    "bound_capabilities",
    "drop_capabilities",
    "mask_of",
    "names_of",
    "permitted_capabilities",
    "set_capabilities",
]

NAMES = (
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "IPC_OWNER",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_CHROOT",
    "SYS_PTRACE",
    "SYS_PACCT",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_NICE",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "MKNOD",
    "LEASE",
    "AUDIT_WRITE",
    "AUDIT_CONTROL",
    "SETFCAP",
    "MAC_OVERRIDE",
    "MAC_ADMIN",
    "SYSLOG",
    "WAKE_ALARM",
    "BLOCK_SUSPEND",
    "AUDIT_READ",
    "PERFMON",
    "BPF",
    "CHECKPOINT_RESTORE",
)  # fmt: skip - each at its number (linux/capability.h), as of Linux 5.9
ALL = (1 << len(NAMES)) - 1  # as the bits of a set in /proc/PID/status

CAP_CHOWN = 0
CAP_DAC_OVERRIDE = 1
CAP_FOWNER = 3
CAP_FSETID = 4
CAP_KILL = 5
CAP_SETGID = 6
CAP_SETUID = 7
CAP_SETPCAP = 8
CAP_NET_BIND_SERVICE = 10
CAP_NET_RAW = 13
CAP_SYS_CHROOT = 18
CAP_MKNOD = 27

_VERSION_3 = 0x20080522  # of capset's header
_capset = libc.capset
_capset.argtypes = (ctypes.c_char_p, ctypes.c_char_p)


def names_of(mask: int) -> list[str]:
    """Return the names of the capabilities in a set that is given as bits, as in /proc/PID/status."""
    return [f"CAP_{name}" for number, name in enumerate(NAMES) if mask >> number & 1]


def mask_of(kept: Iterable[int]) -> int:
    """Return the bits of a set, from the numbers in it."""
    return sum(1 << number for number in kept)


def set_capabilities(kept: Iterable[int]) -> None:
    """Make these the permitted and the effective set, and the inheritable one empty (capset(2)).

    Raises OSError.
    """
    mask = mask_of(kept)
    low, high = ((mask >> shift & 0xFFFFFFFF).to_bytes(4, sys.byteorder) for shift in (0, 32))
    header = _VERSION_3.to_bytes(4, sys.byteorder) + bytes(4)
    check(_capset(header, low + low + bytes(4) + high + high + bytes(4)))


def drop_capabilities() -> None:
    """Give up every capability, as an exec by an ordinary user does. Raises OSError."""
    set_capabilities(())


def bound_capabilities(kept: Iterable[int]) -> None:
    """Drop all but these from the bounding set: no program executed from here on gains the others (prctl(2)).

    Needs CAP_SETPCAP; what the kernel does not let go, or does not know, stays and is passed over.
    """
    mask = mask_of(kept)
    for number in range(len(NAMES)):
        if not mask >> number & 1:
            try:  # noqa: SIM105 - contextlib would be one more thing to copy at each fork
                prctl(PR_CAPBSET_DROP, number)
            except OSError:
                pass


def permitted_capabilities() -> frozenset[int]:
    """Return the numbers of the capabilities that this process has (proc_pid_status(5))."""
    with open("/proc/self/status") as file:
        mask = next((int(line.split()[1], 16) for line in file if line.startswith("CapPrm:")), 0)
    return frozenset(number for number in range(64) if mask >> number & 1)
