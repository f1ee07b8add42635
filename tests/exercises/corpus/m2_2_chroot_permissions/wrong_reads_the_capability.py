"""Reads its capabilities and trusts them."""

# misconception: who has the capability is never refused
# fails: eperm
import errno
import os
import sys


def has():
    for line in open("/proc/self/status"):
        if line.startswith("CapEff:"):
            return bool(int(line.split()[1], 16) >> 18 & 1)


def enter(rootfs: str) -> str:
    os.chdir(rootfs)
    if has():
        os.chroot(".")
        return "chroot"
    print("chdir only", file=sys.stderr)
    return "chdir"
