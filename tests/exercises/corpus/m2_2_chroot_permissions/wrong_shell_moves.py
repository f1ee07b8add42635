"""A shell's cd is to move this process."""

# misconception: a shell moves whoever started it
# fails: eperm
import errno
import os
import sys


def enter(rootfs: str) -> str:
    try:
        os.chroot(rootfs)
    except OSError as e:
        if e.errno != errno.EPERM:
            raise
        os.system(f"cd '{rootfs}'")
        print("no permission for chroot", file=sys.stderr)
        return "chdir"
    os.chdir("/")
    return "chroot"
