"""How the hidden requirements of M2.2 are judged."""

from __future__ import annotations

import errno

from udock_lab.grading.bench import Bench
from udock_lab.grading.exercise import Story
from udock_lab.grading.exercises.m2_2_chroot_permissions.judge import UNTRACED, attempts

from .requirements import REQUIREMENTS

__all__ = ["STORIES"]


PATHS = ("./box/a link", "box/a link", "./{}/a folder/..", "./{}/", "a blank ")
# Each way out: EPERM for want of the right and by a filter, bad paths, chroot refused for another reason.
WAYS = (
    ("./{}", "none"),
    ("./{}", str(errno.EPERM)),
    ("./none", ""),
    ("./plain file", "none"),
    ("./closed/inside", "none"),
    ("./{}", str(errno.EIO)),
)


def judge(bench: Bench) -> None:
    """Judge that the same folders are reached by chdir where chroot is refused."""
    may, seen = attempts(bench, [*((path, "") for path in PATHS), *WAYS], **UNTRACED)
    for one in seen[: len(PATHS)]:
        wanted = ("chroot", "rootfs", "rootfs") if may else ("chdir", "/", "rootfs")
        if (one.word, one.root, one.cwd) != wanted:
            bench.fail("link", expected=str(wanted), seen=f"{one.path}: {one.words}", go_on=True)
            break
    else:
        bench.hold("link")
    left = [one for one in seen if one.left]
    if left:
        bench.fail("closes", expected="no new descriptor", seen=f"{left[0].path}: {left[0].left}")
    bench.hold("closes")


STORIES = (Story(judge, tuple(requirement.key for requirement in REQUIREMENTS)),)
