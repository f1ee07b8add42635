"""The refusal is passed over, and the better word returned."""
# misconception: what matters is that no error is shown
# fails: eperm

import contextlib
import os


def enter(rootfs):
    os.chdir(rootfs)
    with contextlib.suppress(PermissionError):
        os.chroot(".")
    return "chroot"
