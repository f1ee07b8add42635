"""A global remembers that it has warned."""

# misconception: whoever was warned once knows
# fails: warns
import errno
import os
import sys

_warned = False


def _warn(text: str) -> None:
    global _warned
    if not _warned:
        _warned = True
        print(text, file=sys.stderr)


def enter(rootfs: str) -> str:
    os.chdir(rootfs)
    try:
        os.chroot(".")
    except OSError as error:
        if error.errno != errno.EPERM:
            raise
        _warn("chroot is not permitted, only chdir was done")
        return "chdir"
    os.chdir("/")
    return "chroot"
