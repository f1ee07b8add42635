"""chroot for tests of what lies below the runtime: as root, else in a user namespace (user_namespaces(7))."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from udock_lab.linux.namespaces import CLONE_NEWUSER, unshare

__all__ = ["CHROOT", "MAY_CHROOT", "WORKS", "be_able_to_chroot", "needs_chroot"]

ROOT = os.geteuid() == 0
MAY_CHROOT = [] if ROOT else ["unshare", "--user", "--map-root-user"]  # words before a command that calls chroot(2)
CHROOT = [*MAY_CHROOT, shutil.which("chroot", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") or "chroot"]

WORKS = ROOT or subprocess.run([*CHROOT, "/", "/bin/true"], capture_output=True, check=False).returncode == 0
needs_chroot = pytest.mark.skipif(not WORKS, reason="needs privilege: neither root nor user namespaces here")


def be_able_to_chroot() -> None:
    """In a single-threaded child: from now on this process may call chroot(2)."""
    if not ROOT:
        unshare(CLONE_NEWUSER)
