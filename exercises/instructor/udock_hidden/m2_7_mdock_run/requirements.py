"""Hidden requirements of M2.7. For lecturers; never handed out."""

from __future__ import annotations

from udock_lab.model import Requirement

__all__ = ["REQUIREMENTS", "TITLE"]

TITLE = "run(home, image, argv): what is judged when you hand in"
REQUIREMENTS = (
    Requirement(
        key="refused",
        name="chroot refused with EPERM: the program runs in the folder; rootfs cannot be entered: code 125 and errno",
        points=1,
        lesson='m2_2_chroot_permissions, "Action"',
    ),
    Requirement(
        key="others",
        name="while one program runs others can be run, and kill -9 of its runner changes nobody else's record",
        points=1,
        lesson='m2_4_metadata, "What survives what"',
    ),
)
