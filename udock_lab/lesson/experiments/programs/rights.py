"""Which rights to chroot a process has, from one line on: ``have_rights``. What it does cannot be undone."""

from __future__ import annotations

import errno
import os

from udock_lab.errors import UsageError
from udock_lab.linux.capabilities import drop_capabilities
from udock_lab.linux.namespaces import CLONE_NEWUSER, unshare
from udock_lab.linux.seccomp_filters import refuse_chroot
from udock_lab.runtime.steps import NewUserNamespace

KNOWN = ("chroot", "chroot, not as root", "none", "chroot answers EPERM")
ANSWERS = "chroot answers "


def have_rights(which: str) -> None:
    """Have these rights from here on, in this process and those that it starts.

    ``chroot``: the right to call it, as root, or as the root of a user namespace of one's own.
    ``chroot, not as root``: the same right, for a user who is not root (a namespace in which nobody is).
    ``none``: no capability at all, so that the kernel refuses chroot with EPERM.
    ``chroot answers EPERM``, or another errno: whoever calls it, as a security module or a broken disk would.
    """
    if which == "chroot":
        if os.geteuid():
            NewUserNamespace(os.getuid(), os.getgid()).apply(None)
    elif which == "chroot, not as root":
        unshare(CLONE_NEWUSER)
    elif which == "none":
        drop_capabilities()
    elif which.startswith(ANSWERS) and isinstance(getattr(errno, which.removeprefix(ANSWERS), None), int):
        refuse_chroot(getattr(errno, which.removeprefix(ANSWERS)))
    else:
        raise UsageError(f"have_rights knows no rights {which!r}.", f"It knows: {'; '.join(KNOWN)} (or another errno)")
