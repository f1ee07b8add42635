"""How the hidden requirements of M2.2 are judged."""

from __future__ import annotations

import errno

from udock_lab.grading.bench import Bench
from udock_lab.grading.exercise import story
from udock_lab.grading.exercises.m2_2_chroot_permissions.attempt import Attempt, Try, attempts
from udock_lab.grading.exercises.m2_2_chroot_permissions.diagnose import place

__all__ = ["STORIES"]

PATHS = ("./box/a link", "./half way/rootfs", "./{}/a folder/..", "./{}/", "./a blank ")
# Each way out: EPERM for want of the right and by a filter, bad paths, chroot refused for another reason.
WAYS: tuple[Try, ...] = (
    ("./{}", ""),
    ("./{}", "none"),
    ("./{}", str(errno.EPERM)),
    ("./none", ""),
    ("./plain file", "none"),
    ("./closed/inside", "none"),
    ("./{}", str(errno.EIO)),
)


@story("link")
def paths_of_every_kind(bench: Bench) -> None:
    """Call enter by all of them; the kernel's record says where each led."""
    may, seen = attempts(bench, "link", [(path, "") for path in PATHS], trace=True)
    _link(bench, seen, may=may)


@story("closes")
def all_ways_out(bench: Bench) -> None:
    """Look at the descriptors after each."""
    _closes(bench, attempts(bench, "closes", WAYS, trace=False)[1])


def _link(bench: Bench, seen: list[Attempt], *, may: bool) -> None:
    word, root = ("chroot", "rootfs") if may else ("chdir", "/")
    plain = any(one.word == word and one.is_at(root, "rootfs") for one in seen)
    for one in seen:
        if one.word != word or not one.is_at(root, "rootfs"):
            bench.fail(
                "link",
                expected=f"enter({one.path!r}) returns {word!r}, and the process is in the folder",
                seen=f"{one.words}; / is {place(one.root)}, the working directory is {place(one.cwd)}",
                looks_like=_other_folder(one) if plain else "",
                by=one.by,
                go_on=True,
            )
            return
    bench.hold("link", by=seen[0].by)


def _other_folder(seen: Attempt) -> str:
    if "link" in seen.path and seen.errno in (errno.ENOTDIR, errno.ELOOP):
        return "a symbolic link refused (O_NOFOLLOW, islink). A link to a folder is a way to it."
    if "link" in seen.path and seen.errno == errno.ENOENT:
        return "the link read by hand: its text starts where the link stands, not at the working directory."
    if seen.path.endswith(" ") and seen.errno == errno.ENOENT:
        return "blanks taken from the path: they belong to the name."
    return ""


def _closes(bench: Bench, seen: list[Attempt]) -> None:
    for one in seen:
        if one.left:
            bench.fail(
                "closes",
                expected="no new descriptor",
                seen=f"open after enter({one.path!r}), when {one.words}: {', '.join(one.left)}",
                looks_like=_kept(one, seen),
                by="effects",
            )
    bench.hold("closes", by="effects")


def _kept(one: Attempt, seen: list[Attempt]) -> str:
    if all(other.left for other in seen if other.returned):
        return "never closed: what was opened before chroot stays open, and leads outside."
    if one.raised:
        return "closed on the good way only: an exception skips the line. try ... finally, or with, closes on each way."
    return "closed on one way and not on the other: the refusal returns before the line that closes."


STORIES = (paths_of_every_kind, all_ways_out)
