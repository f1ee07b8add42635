"""chdir("/") before chroot."""

# misconception: the order of the two calls does not matter
# fails: cwd
import errno
import os
import sys


def enter(rootfs: str) -> str:
    try:
        os.chdir("/")
        os.chroot(rootfs)
        return "chroot"
    except OSError as e:
        if e.errno != errno.EPERM:
            raise
        os.chdir(rootfs)
        print("no permission for chroot", file=sys.stderr)
        return "chdir"
