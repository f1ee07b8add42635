"""A name that errno has not, in a line that runs only at a refusal."""

# misconception: what was never run works
# fails: eperm
import errno
import os
import sys


def enter(rootfs: str) -> str:
    os.chdir(rootfs)
    try:
        os.chroot(".")
    except OSError as e:
        if e.errno == errno.EPREM:
            print("no permission for chroot", file=sys.stderr)
            return "chdir"
        raise
    os.chdir("/")
    return "chroot"
