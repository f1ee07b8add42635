"""A logger of its own, and an ExitStack that forgives."""

import errno
import os
import sys
import contextlib
import logging


def enter(rootfs: str) -> str:
    os.chdir(rootfs)
    refused = []
    with contextlib.ExitStack() as stack:
        stack.push(lambda kind, e, tb: getattr(e, "errno", 0) == errno.EPERM and not refused.append(e))
        os.chroot(".")
    if not refused:
        return os.chdir("/") or "chroot"
    log = logging.Logger("enter")  # a logger of its own: no settings of others reach it
    log.addHandler(logging.StreamHandler(sys.stderr))
    return log.warning("chroot: %s", refused[0].strerror) or "chdir"
