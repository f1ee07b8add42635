"""How images come and go, and what containers that run in them have of it."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress

from udock_lab.errors import Conflict, MdockError, NotFound
from udock_lab.model import Image
from udock_lab.runtime.image.build import aside, build_image, retire_image
from udock_lab.runtime.image.rootfs import make_rootfs
from udock_lab.runtime.looking import records
from udock_lab.runtime.state import containers, living, private
from udock_lab.runtime.state.extras import load_spec
from udock_lab.runtime.state.home import Home
from udock_lab.runtime.state.images import find_image_by_name
from udock_lab.runtime.state.lock import locked
from udock_lab.runtime.state.removal import remove_tree
from udock_lab.runtime.unsaid import Unsaid

__all__ = ["build", "demo", "remove_image"]

Progress = Callable[[int, int], None]
OnNote = Callable[[str], None]


def build(
    home: Home,
    unsaid: Unsaid,
    name: str,
    directory: str,
    *,
    force: bool = False,
    progress: Progress | None,
    on_note: OnNote | None,
) -> Image:
    """Copy ``directory`` into a new image; what runs in one that is replaced goes on in it as it was."""
    inside: list[str] = []

    def keep(replaced: str) -> None:
        inside.extend(_running_in(home, unsaid, home.image_rootfs(name)))
        private.keep_replaced(home, inside, replaced)

    image = build_image(home, name, directory, force=force, progress=progress, on_note=on_note, on_replaced=keep)
    unsaid.log("BUILD", image=name, source=os.path.abspath(directory))
    if inside and on_note is not None:
        on_note(f"What runs already goes on in the image as it was: {', '.join(inside)}.")
    return image


def demo(home: Home, unsaid: Unsaid, *, progress: Progress | None, on_note: OnNote | None) -> Image:
    """Make the image ``demo``, or take the one that somebody else made meanwhile."""
    home.create()
    with aside(home, "demo") as folder:
        report = make_rootfs(f"{folder}/rootfs")
        made = report.path
        if on_note is not None:
            for note in report.notes:
                on_note(note)
        with suppress(Conflict):
            return build(home, unsaid, "demo", made, progress=progress, on_note=on_note)
        try:
            return find_image_by_name(home.images_db, "demo")
        except NotFound:
            return build(home, unsaid, "demo", made, force=True, progress=progress, on_note=on_note)


def remove_image(home: Home, unsaid: Unsaid, name: str) -> None:
    """Remove the image's record under the lock, its files afterwards. Conflict while a container's record names it."""
    with locked(home):
        users = [record.id for record in records(home, unsaid) if record.image == name]
        trash = retire_image(home, name, users)
    unsaid.log("RMI", image=name)
    if trash:
        try:
            remove_tree(trash)
        except MdockError as error:
            raise type(error)(
                f"Image '{name}' is removed, but not all of its files: {error.message}", error.hint
            ) from error


def _running_in(home: Home, unsaid: Unsaid, rootfs: str) -> list[str]:
    """Return the containers whose processes live, here or elsewhere, and have this root file system."""
    alive = [
        record.id
        for record in records(home, unsaid)
        if not containers.has_ended(record) and (living.is_alive(home, record) or living.elsewhere(home, record))
    ]
    return [name for name in alive if load_spec(home, name).asked.rootfs == rootfs]
