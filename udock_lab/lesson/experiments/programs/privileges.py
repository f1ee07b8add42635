"""Root's power taken and given up, inside a sandbox: ``lesson.as_root``, ``give_up`` and ``lesson.run_three_ways``."""

from __future__ import annotations

import os
import sys

from udock_lab.linux.capabilities import CAP_SYS_CHROOT, drop_capabilities
from udock_lab.linux.prctl import PR_CAPBSET_DROP, prctl
from udock_lab.runtime.steps import NewUserNamespace

NOBODY = 12345  # a user id that nobody has


def become_root() -> None:
    """Be root in a user namespace of one's own, by the steps that mdock makes for ``--userns``."""
    NewUserNamespace(os.getuid(), os.getgid()).apply(None)


def give_up() -> None:
    """Give up every privilege: from here on this process is user 12345, and there is no way back.

    A server leaves root's groups before that. Where the change of user is refused (you are not root, or in here is no
    such id), all capabilities are dropped, which comes to the same.
    """
    try:
        os.setuid(NOBODY)
    except OSError:
        drop_capabilities()


def mdock_without_the_right(words: list[str]) -> None:
    """Become ``mdock`` with these words, without CAP_SYS_CHROOT for it and all that it starts."""
    if os.geteuid() == 0:
        prctl(PR_CAPBSET_DROP, CAP_SYS_CHROOT)
    os.execv(sys.executable, [sys.executable, "-m", "udock_lab", *words])
