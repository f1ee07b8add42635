"""The kinds of children that can be forked ahead: this table, and which of them a plan can do with.

A namespace can't be given back, so a child that waits in one serves only plans that want it. Some steps are then made
already: by the forker, which forks it inside, or by the child, while nobody waits. It reports them when it has its
plan, at the earlier times that they were made at. Light, since each fork of a container copies it.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["KINDS", "PLAIN", "Kind", "kind_for"]


class Kind:
    """A row: ``forked``, the steps that the forker makes by how it forks; ``ahead``, those of the waiting child.

    All are known by their names, and have no fields.
    """

    __slots__ = ("ahead", "forked", "name")

    def __init__(self, name: str, forked: tuple[str, ...] = (), ahead: tuple[str, ...] = ()) -> None:
        self.name, self.forked, self.ahead = name, forked, ahead

    def has_made(self, steps: Iterable[Sequence[object]]) -> bool:
        """Return whether each of these steps, in words, is made before the child hears of its plan."""
        return all(words[0] in self.forked or words[0] in self.ahead for words in steps)


PLAIN = Kind("plain")
_FIRST = ("new_pids", "first_process")  # unshare(CLONE_NEWPID), fork: the child is process 1 of a new namespace
KINDS = {
    kind.name: kind
    for kind in (
        PLAIN,
        Kind("first of its pids", forked=_FIRST),
        Kind("apart", forked=_FIRST, ahead=("new_mounts", "new_ipcs", "new_uts")),
    )
}
_BEFORE_ALL = ("userns", "join_userns")  # what owns the other namespaces is made before them


def kind_for(steps: Sequence[Sequence[object]]) -> Kind:
    """Return the kind of which a plan with these steps before its gate, in words, finds most of them made."""
    names = {words[0] for words in steps}
    if not names or not names.isdisjoint(_BEFORE_ALL):
        return PLAIN
    fitting = [kind for kind in KINDS.values() if names.issuperset(kind.forked + kind.ahead)]
    return max(fitting, key=lambda kind: len(kind.forked + kind.ahead))
