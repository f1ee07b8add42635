"""Hidden requirements of M2.2. For lecturers; never handed out."""

from __future__ import annotations

from udock_lab.model import Requirement

__all__ = ["REQUIREMENTS", "TITLE"]

TITLE = "enter(rootfs): what is judged when you hand in"
REQUIREMENTS = (
    Requirement(
        key="link",
        name="a path through a symbolic link, or with a blank in it, works too",
        points=1,
        lesson='m2_2_chroot_permissions, "Situation"',
    ),
    Requirement(
        key="closes",
        name="no descriptor is left open, on no way out",
        points=1,
        lesson='m2_2_chroot_permissions, "Action"',
    ),
)
