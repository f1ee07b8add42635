"""Says on standard output what it does; long-winded."""

import errno
import os
import sys


CHROOT = "chroot"
CHDIR = "chdir"
WARNING = "chroot failed (need root). Running with chdir only."


def _warn(message: str) -> None:
    print("[enter]", message, file=sys.stderr)


def enter(rootfs: str) -> str:
    """Enter ``rootfs``.

    Returns:
        "chroot" or "chdir".
    """
    absolute: str = os.path.abspath(os.fspath(rootfs))
    print("entering", absolute)
    succeeded: bool = False
    problem: OSError | None = None
    try:
        os.chdir(absolute)
        os.chroot(absolute)
        succeeded = True
    except OSError as caught:
        problem = caught
    if succeeded:
        os.chdir("/")
        return CHROOT
    assert problem is not None
    if problem.errno == errno.EPERM:
        _warn(WARNING)
        return CHDIR
    raise problem
