"""mdock's own functions in the place of parts that the learner has not written: what mdock itself calls, no more.

Each has the name and the arguments that its exercise asks for. Programs are started by subprocess, which finds out
what went wrong as mdock does: through a pipe.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Mapping
from os.path import dirname
from typing import TYPE_CHECKING

from udock_lab.errors import NotFound
from udock_lab.isolation.root import change_root
from udock_lab.isolation.step import Child
from udock_lab.model import Record, Status
from udock_lab.runtime.state import containers, ids, images
from udock_lab.runtime.state.home import Home
from udock_lab.runtime.state.lock import locked

if TYPE_CHECKING:
    from udock_lab.grading.containerrecord import ContainerRecord

__all__ = ["STAND_INS"]


def enter(rootfs: str) -> str:
    """Apply the steps that mdock applies in its child."""
    child = Child(rootfs)
    for step in change_root(rootfs, "/"):
        try:
            step.apply(child)
        except OSError as error:
            if error.errno not in step.optional_errnos:
                raise
    return "chroot" if child.inside else "chdir"


def allocate(db: str) -> str:
    """Take the next id of mdock's own."""
    home = Home(dirname(db))
    with locked(home):
        return ids.allocate(home)


def save(db: str, record: ContainerRecord) -> None:
    """Write phase 1 as mdock does."""
    home = Home(dirname(db))
    begun = Record(id=record.id, pid=record.pid, image=record.image, status=Status.RUNNING, start_time=containers.now())
    with locked(home):
        containers.begin(home, begun)


def update(db: str, container_id: str, status: str, end_time: float, exit_code: int) -> None:
    """Write phase 2 as mdock does."""
    home = Home(dirname(db))
    at = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(end_time))
    with locked(home):
        containers.finish(home, container_id, exit_code, at, killed=False)


def find_image_by_name(db: str, name: str) -> str | None:
    """Look it up as mdock does."""
    try:
        return images.find_image_by_name(db, name).rootfs
    except NotFound:
        return None


def run(argv: list[str]) -> tuple[int | None, int | None, int | None]:
    """Start a program; code, signal and errno as ``ExitInfo`` has them."""
    try:
        code = subprocess.run(argv, check=False).returncode
    except OSError as error:
        return 127 if isinstance(error, FileNotFoundError) else 126, None, error.errno
    return (code, None, None) if code >= 0 else (None, -code, None)


STAND_INS: Mapping[str, tuple[Callable[..., object], ...]] = {
    "m2_2_chroot_permissions": (enter,),
    "m2_3_container_ids": (allocate, allocate),  # next_id is called by allocate alone
    "m2_4_metadata": (save, update),
    "m2_5_image_lookup": (find_image_by_name,),
    "m2_6_exec_failure": (run,),
}
