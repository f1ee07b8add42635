"""Reads its capabilities, and takes the kernel's answer all the same."""

import errno
import os
import sys


def has_cap_sys_chroot() -> bool:
    with open("/proc/self/status") as f:
        for line in f:
            if line.startswith("CapEff:"):
                return bool(int(line.split()[1], 16) >> 18 & 1)
    return True


def enter(rootfs: str) -> str:
    os.chdir(rootfs)
    if has_cap_sys_chroot():
        try:
            os.chroot(".")
            return "chroot"
        except OSError as e:
            if e.errno != errno.EPERM:
                raise
    print("chroot not possible; chdir only", file=sys.stderr)
    return "chdir"
