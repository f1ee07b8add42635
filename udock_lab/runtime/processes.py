"""The processes of a notebook by the names they have in this course: kernel, launcher, forker, containers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from udock_lab.linux.process import process_tree
from udock_lab.model import ProcessNode
from udock_lab.model.value import replace

__all__ = ["KERNEL", "SPARE_KEEPER", "named_trees"]

KERNEL = "kernel"
_BELOW = {"launcher": "forker", "forker": "spare"}  # what stands below whom, if it is no container
SPARE_KEEPER = "spare keeper"  # the last word of its command line
_KEEPER = "udock_lab.sandbox.keeper."  # what its command line imports from


def named_trees(kernel: int, launcher: int | None, containers: Mapping[int, str]) -> tuple[ProcessNode, ...]:
    """Return the kernel's tree, then one for each container (pid to id) that another process supervises.

    Empty where /proc is hidden even from its owner.
    """
    roles = {pid: f"container {name}" for pid, name in containers.items()} | {kernel: KERNEL}
    if launcher is not None:
        roles[launcher] = "launcher"
    top = process_tree(kernel)
    if top is None:
        return ()
    here = set(_pids(top))
    elsewhere = [process_tree(pid) for pid in containers if pid not in here]
    return tuple(_named(node, roles, "") for node in (top, *elsewhere) if node is not None)


def _pids(node: ProcessNode) -> Iterator[int]:
    yield node.pid
    for below in node.children:
        yield from _pids(below)


def _named(node: ProcessNode, roles: Mapping[int, str], above: str) -> ProcessNode:
    """Return the node with its role and its children's.

    Children with a name of their own come first, then the older ones.
    """
    role = roles.get(node.pid) or _helper(node, above)
    below = sorted(node.children, key=lambda child: (roles.get(child.pid, "~"), child.start_ticks, child.pid))
    return replace(node, role=role, children=tuple(_named(child, roles, role) for child in below))


def _helper(node: ProcessNode, above: str) -> str:
    """Name a process without an entry, by what stands above it or by the file it runs."""
    if any(_KEEPER in word for word in node.command):
        waits = node.command[-1] == SPARE_KEEPER and node.name != "keeper"  # as which it serves its sandbox
        return SPARE_KEEPER if waits else "sandbox"
    return _BELOW.get(above, "process")
