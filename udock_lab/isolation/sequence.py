"""The table of contents of a container: every layer that there is, in the order in which it is put on, and why there.

A layer is left out where nobody wants it (wanted.py); what is left is one list of steps. The order is the kernel's
more than ours: what a layer needs must still be there, and what a layer forbids must be done.

To add one: its file with its steps, its row here, and an option somewhere that sets ``Wanted.options``
(CONTRIBUTING.md shows the whole of it).
"""

from __future__ import annotations

from udock_lab.isolation import observe, pid, rlimit, root, syscalls, terminal, user
from udock_lab.isolation.step import STEPS, make_step

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from udock_lab.isolation.step import Step
    from udock_lab.isolation.wanted import Wanted

__all__ = ["MAKES_PROCESS", "OPTIONS", "TABLE", "Layer", "make_steps", "steps_for_a_container", "steps_of"]


class Layer:
    """A row. ``option``: it can be asked for by its name, with one word as its value."""

    __slots__ = ("name", "option", "steps", "why")

    def __init__(self, name: str, steps: Callable[[Wanted], Sequence[Step]], why: str, *, option: bool = False) -> None:
        self.name, self.steps, self.why, self.option = name, steps, why, option


def _table() -> tuple[Layer, ...]:
    """Return the rows, each with the function that says its steps; these follow below."""
    return (
        Layer("first look", _first_look, "so that what differs at the second look was done by the steps in between"),
        Layer("orphans", _orphans, "before anything can be forked that could become one"),
        Layer("terminal", _terminal, "while /dev and the session are still the ones that the terminal was made in"),
        Layer("user namespace", _user, "first of all namespaces: what owns the others decides who may set them up"),
        Layer("namespaces", _namespaces, "before anything is changed in them: from now on nobody outside sees it"),
        Layer("held folders", _held, "while we still are who we were: the next id may not walk there"),
        Layer("root inside", _root_inside, "before files are made: an id that the new map does not hold can own none"),
        Layer("first process", _first_process, "before /proc is mounted: it shows the namespace of whoever mounts it"),
        Layer("private root", _private_root, "with the capabilities of the namespace, which the layers below give up"),
        Layer("process inside", _process_inside, "when the root is whole, so that it never sees the one before"),
        Layer("chroot", _chroot, "with the capability for it; chdir on both sides, or the old folder is a way out"),
        Layer("limits", _limits, "late: the steps before need memory and descriptors themselves"),
        Layer("priority", _priority, "with the limits, for the same reason"),
        Layer("folder", _folder, "as who we were: the next id may not walk there"),
        Layer("files", _files, "before the ids change: what is permitted has to be opened, and the next id may not"),
        Layer("ids", _ids, "groups, gid, uid, in this order: with the uid goes the right to set the others"),
        Layer("capabilities", _capabilities, "after the ids, which need some of them to change"),
        Layer("no new privileges", _no_new_privs, "before a filter: without it the kernel takes none from us"),
        Layer("signals", _signals, "when nothing of ours has to signal anybody any more"),
        Layer("system calls", _system_calls, "last of all: what a filter refuses, it refuses to us as well"),
        Layer("last look", _last_look, "when all is done that the program will find"),
    )


def steps_of(wanted: Wanted) -> list[Step]:
    """Return all steps that are wanted, in order."""
    return [step for layer in TABLE for step in layer.steps(wanted)]


def steps_for_a_container(wanted: Wanted) -> tuple[list[Step], int]:
    """Return all steps in the order in which a container's child makes them, and how many come before its start gate.

    Most children make none there. Where the child forks once more, the record is to name the process that will be the
    program: what makes that process goes first, and all else is for that one to do.
    """
    if not _first_process(wanted):
        return steps_of(wanted), 0
    making = [step for layer in TABLE if layer.name in MAKES_PROCESS for step in layer.steps(wanted)]
    rest = [step for layer in TABLE if layer.name not in MAKES_PROCESS for step in layer.steps(wanted)]
    return making + rest, len(making)


def make_steps(plan: Sequence[Sequence[object]]) -> list[Step]:
    """Make the steps that travelled, as :func:`make_step` does.

    A layer that not every child of mdock has is imported for the first of its steps, which is before the start gate.
    """
    if not STEPS.keys() >= {words[0] for words in plan}:
        from udock_lab.isolation import namespaces  # noqa: F401 - so its steps are known by name
    return [make_step(words) for words in plan]


# --- each layer's steps, where it is wanted. Imported inside: what a container's child need not know before its fork.


def _first_look(wanted: Wanted) -> Sequence[Step]:
    return [observe.Hold(observe.AT_THE_GATE)] if wanted.observed else []


def _orphans(wanted: Wanted) -> Sequence[Step]:
    heir: list[Step] = [pid.Subreaper()] if wanted.adopts_orphans else []
    return [*heir, pid.ParentDeathSignal(wanted.death_signal)] if wanted.death_signal else heir


def _terminal(wanted: Wanted) -> Sequence[Step]:
    return [terminal.Terminal()] if wanted.terminal else []


def _user(wanted: Wanted) -> Sequence[Step]:
    if wanted.joins:
        return [user.JoinUserNamespace(wanted.joins)]
    if wanted.own_ids is not None:
        return user.own_namespace(*wanted.own_ids)
    if not wanted.mapped:
        return []
    from udock_lab.isolation import mapped

    return mapped.namespace_by_rule(wanted.mapped)


def _namespaces(wanted: Wanted) -> Sequence[Step]:
    if not (wanted.namespaces or wanted.optional_namespaces):
        return []
    from udock_lab.isolation import namespaces

    return namespaces.new_namespaces(wanted.namespaces, wanted.optional_namespaces)


def _held(wanted: Wanted) -> Sequence[Step]:
    if wanted.private_root is None:
        return []
    from udock_lab.isolation import private_root

    return private_root.hold_open(wanted.private_root)


def _root_inside(wanted: Wanted) -> Sequence[Step]:
    if wanted.private_root is None:
        return []
    from udock_lab.isolation import rights

    return rights.become_root()


def _first_process(wanted: Wanted) -> Sequence[Step]:
    return [pid.FirstProcess()] if "new_pids" in wanted.namespaces else []


def _private_root(wanted: Wanted) -> Sequence[Step]:
    if wanted.private_root is None:
        return []
    from udock_lab.isolation import private_root

    return private_root.private_root(wanted.private_root)


def _process_inside(wanted: Wanted) -> Sequence[Step]:
    if "new_pids" not in wanted.namespaces or wanted.is_first:
        return []
    from udock_lab.isolation import rights

    return [rights.Dumpable(0), pid.ProcessInside(), rights.Dumpable(1)]


def _chroot(wanted: Wanted) -> Sequence[Step]:
    return root.change_root(wanted.rootfs, wanted.workdir) if wanted.rootfs else []


def _limits(wanted: Wanted) -> Sequence[Step]:
    return rlimit.limits(wanted.limits)


def _priority(wanted: Wanted) -> Sequence[Step]:
    first: list[Step] = [rlimit.DiesFirst()] if wanted.dies_first else []
    return [*first, rlimit.Nice(wanted.nice)] if wanted.nice else first


def _folder(wanted: Wanted) -> Sequence[Step]:
    return [root.Chdir(wanted.cwd)] if wanted.cwd else []


def _files(wanted: Wanted) -> Sequence[Step]:
    if wanted.files is None:
        return []
    from udock_lab.isolation import files

    return files.keep_to(wanted.files)


def _ids(wanted: Wanted) -> Sequence[Step]:
    if not wanted.uid:
        return []
    from udock_lab.isolation import rights

    return rights.become(wanted.uid)


def _capabilities(wanted: Wanted) -> Sequence[Step]:
    if wanted.capabilities is None:
        return []
    from udock_lab.isolation import rights

    return rights.keep_only(wanted.capabilities, bounded=wanted.bounded)


def _no_new_privs(wanted: Wanted) -> Sequence[Step]:
    if not wanted.no_new_privs:
        return []
    from udock_lab.isolation import rights

    return [rights.GainNothing()]


def _signals(wanted: Wanted) -> Sequence[Step]:
    if not wanted.signals_inside:
        return []
    from udock_lab.isolation import signals

    return signals.keep_signals_inside(wanted.protected)


def _system_calls(wanted: Wanted) -> Sequence[Step]:
    return syscalls.refuse_kill_all() if wanted.no_kill_all else []


def _last_look(wanted: Wanted) -> Sequence[Step]:
    return [observe.Hold(observe.BEFORE_EXEC)] if wanted.observed else []


TABLE = _table()
# What makes the process that will be the program, where that is forked by the child: before the start gate.
MAKES_PROCESS = ("user namespace", "namespaces", "held folders", "root inside", "first process")
OPTIONS = tuple(layer.name for layer in TABLE if layer.option)
