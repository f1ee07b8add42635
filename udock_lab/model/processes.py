"""Processes as /proc shows them."""

from __future__ import annotations

from udock_lab.model.value import Value

__all__ = ["ProcessNode", "Snapshot"]


class Snapshot(Value):
    """A process as /proc showed it at one moment (proc(5)); what the machine would not tell is empty.

    ``moment`` is ``at the gate`` or ``before exec``. ``files`` are (descriptor, target), ``limits`` (name, soft,
    hard) in the kernel's words, ``environment`` names only; ``uids`` and ``gids`` are real, effective, saved and
    file system; ``capabilities`` the bits of the effective set. ``next_environment``: the names that execve brings.
    """

    moment: str
    pid: int
    parent: int
    group: int
    session: int
    root: str
    cwd: str
    files: tuple[tuple[int, str], ...] = ()
    limits: tuple[tuple[str, str, str], ...] = ()
    environment: tuple[str, ...] = ()
    uids: tuple[int, ...] = ()
    gids: tuple[int, ...] = ()
    groups: tuple[int, ...] = ()
    capabilities: int = 0
    user_namespace: str = ""
    next_environment: tuple[str, ...] = ()


class ProcessNode(Value):
    """A process and everything below it, as it was at one moment.

    ``state`` is the letter of proc(5) (R, S, D, T, Z, ...); ``start_ticks`` are clock ticks since boot. ``role`` is
    its name in this course, for instance ``launcher`` or ``container c1``; empty where nobody named it.
    """

    pid: int
    name: str
    state: str
    start_ticks: int
    command: tuple[str, ...] = ()
    children: tuple[ProcessNode, ...] = ()
    role: str = ""
