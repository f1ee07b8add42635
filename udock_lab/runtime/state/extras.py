"""What mdock keeps of a container in files of its own, ``containers/<id>/``, beside its line in ``containers.db``.

::

    spec.json          what was asked for (Asked), and which process it became under whose eyes (Identity), side by side
    steps.json         what the child and its parent reported of their steps (Steps)
    exec-<pid>.json    a program that ``exec`` started in it (Program)

Each says the number of its schema; 0.1.0 wrote none, which is 0. These files lie open in the home: a field that
somebody spoilt counts as missing, a file that is gone or torn as an empty one.
"""

from __future__ import annotations

import errno
import os

from udock_lab.linux.ownership import adopt
from udock_lab.model import Limits
from udock_lab.model.jsontext import from_json, to_json
from udock_lab.model.plain import MalformedError, check_schema, salvage, stored
from udock_lab.model.value import Value
from udock_lab.runtime.state.tables import open_plain, read_whole

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeVar

    from udock_lab.runtime.state.home import Home

    R = TypeVar("R", bound="Reported")

__all__ = [
    "NOTHING_KEPT",
    "Asked",
    "Identity",
    "Kept",
    "Listed",
    "Program",
    "Reported",
    "Steps",
    "load_extra",
    "load_program",
    "load_spec",
    "load_steps",
    "own_folder",
    "save_extra",
    "save_program",
    "save_spec",
    "save_steps",
    "with_extras",
]

SCHEMA = 1


class Listed(Value):
    """The part of what was asked for that a list of containers shows; of ten thousand, no more is read."""

    argv: tuple[str, ...] = ()
    userns: bool | None = None


class Asked(Listed):
    """What was asked for: the fields of a ContainerSpec, and where its files are.

    ``private`` is the folder that goes when the container is removed: its own copy, or an image that was replaced.
    """

    image: str = ""
    env: tuple[tuple[str, str], ...] = ()
    workdir: str | None = None
    limits: Limits = Limits()
    copy: bool = False
    detach: bool = False
    remove: bool = False
    tty: bool = False
    interactive: bool = False
    guard: bool | None = None
    layers: tuple[tuple[str, str], ...] = ()
    rootfs: str | None = None
    private: str | None = None


class Identity(Value):
    """Which process it is: pids are reused, so each stands beside its start time (proc(5)) and the boot.

    ``started_boottime`` is CLOCK_BOOTTIME in seconds. What the machine did not tell is None.
    """

    pid: int | None = None
    start_ticks: int | None = None
    boot_id: str | None = None
    started_boottime: float | None = None
    supervisor: int | None = None
    supervisor_ticks: int | None = None
    pid_namespace: str | None = None
    host: str | None = None


class Kept:
    """What ``spec.json`` holds, each part read when it is asked for.

    ``unknown`` says why nothing is known; empty where something is.
    """

    __slots__ = ("_data", "unknown")

    def __init__(self, data: dict[str, object], unknown: str = "") -> None:
        self._data = data
        self.unknown = unknown

    @property
    def listed(self) -> Listed:
        """What a list shows."""
        return salvage(Listed, self._data, SCHEMA)

    @property
    def asked(self) -> Asked:
        """What was asked for."""
        return salvage(Asked, self._data, SCHEMA)

    @property
    def identity(self) -> Identity:
        """Which process it became."""
        return salvage(Identity, self._data, SCHEMA)


NOTHING_KEPT = Kept({}, "its spec is missing")


class Reported(Value):
    """What the child reported of its steps: number, errno, start and end in nanoseconds; None where nobody knows.

    ``names`` are those of the steps, in their order.
    """

    reports: tuple[tuple[int, int, int, int], ...] | None = None
    names: tuple[str, ...] = ()


class Steps(Reported):
    """What ``steps.json`` holds: the parent's steps, too (name, errno, start, end), and the child's in words."""

    parent_steps: tuple[tuple[str, int, int, int], ...] = ()
    steps: tuple[str, ...] = ()


class Program(Value):
    """A program that ``exec`` started. ``inode`` is its pidfd's, where there is no /proc to tell its start time."""

    pid: int | None = None
    start_ticks: int | None = None
    boot_id: str | None = None
    inode: int | None = None


def save_spec(home: Home, container_id: str, asked: dict[str, object], identity: Identity) -> None:
    """Write ``spec.json``; ``asked`` are the fields of Asked as plain data, as the caller sent them."""
    save_extra(home, container_id, "spec", stored(identity, SCHEMA) | asked)


def load_spec(home: Home, container_id: str) -> Kept:
    """Read ``spec.json``."""
    data = load_extra(home, container_id, "spec")
    if not data:
        return NOTHING_KEPT
    try:
        check_schema(data, SCHEMA)
    except MalformedError as error:  # a newer mdock started it
        return Kept({}, f"of its spec, {error}")
    return Kept(data)


def save_steps(home: Home, container_id: str, steps: Steps) -> None:
    """Write ``steps.json``."""
    save_extra(home, container_id, "steps", stored(steps, SCHEMA))


def load_steps(home: Home, container_id: str, part: type[R]) -> R:
    """Read ``steps.json``, or the part of it that Reported is."""
    try:
        return salvage(part, load_extra(home, container_id, "steps"), SCHEMA, _lift_steps)
    except MalformedError:
        return part()


def _lift_steps(old: dict[str, object], schema: int) -> dict[str, object]:
    """Give the steps names, which 0.1.0 did not write: its words began with the step's call."""
    words = old.get("steps")
    names = [str(one).partition("(")[0] for one in words] if isinstance(words, list) else []
    return {"names": names, "parent_steps": old.get("marks", [])} | old


def save_program(home: Home, container_id: str, program: Program) -> None:
    """Write ``exec-<pid>.json``. Raises OSError: FileNotFoundError where the container is removed already."""
    path = f"{home.container_dir(container_id)}/exec-{program.pid}.json"
    with open(path, "wb") as file:
        file.write(to_json(stored(program, SCHEMA)))


def load_program(home: Home, container_id: str, pid: int) -> Program | None:
    """Read ``exec-<pid>.json``; None where it tells nothing."""
    data = load_extra(home, container_id, f"exec-{pid}")
    try:
        return salvage(Program, data, SCHEMA) if data else None
    except MalformedError:
        return None


def save_extra(home: Home, container_id: str, name: str, data: dict[str, object]) -> None:
    """Write one of these files."""
    folder = own_folder(home, container_id)
    fd = open_plain(f"{folder}/{name}.json", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    try:
        text = to_json(data)
        if os.write(fd, text) != len(text):
            os.ftruncate(fd, 0)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), folder)
    finally:
        os.close(fd)


def own_folder(home: Home, container_id: str) -> str:
    """Return the folder of a container's own files, made where it is missing; OSError."""
    folder = home.container_dir(container_id)
    try:
        os.mkdir(folder)
    except FileNotFoundError:  # somebody removed the folder around it
        home.create()
        os.mkdir(folder)
    except FileExistsError:
        pass
    else:
        adopt(folder)
    return folder


def load_extra(home: Home, container_id: str, name: str) -> dict[str, object]:
    """Read one of these files as it stands there; empty when it is missing or torn."""
    try:
        data = from_json(read_whole(f"{home.containers_dir}/{container_id}/{name}.json"))
    except (OSError, ValueError):  # gone, torn, or nested by somebody's hand
        return {}
    return data if isinstance(data, dict) else {}


def with_extras(home: Home) -> set[str] | None:
    """Return the ids of which we have files of our own; None if that cannot be listed.

    What another program recorded has none, and 10,000 files that are missing take longer to open than one to list.
    """
    try:
        return set(os.listdir(home.containers_dir))
    except FileNotFoundError:
        return set()
    except OSError:
        return None
