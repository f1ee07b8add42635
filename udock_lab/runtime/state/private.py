"""What a container leaves when it is removed, which is nothing; and what it keeps when its image is replaced."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Sequence
from contextlib import suppress

from udock_lab.errors import MdockError
from udock_lab.runtime.state import containers, resources
from udock_lab.runtime.state.extras import load_extra, save_extra
from udock_lab.runtime.state.home import Home, storage_error

__all__ = ["discard", "keep_replaced"]

_EXEC = r"exec-[0-9]+\.json"


def discard(home: Home, ids: Sequence[str]) -> dict[str, MdockError]:
    """Remove these containers altogether: what they have, their files, then their records. Lock held.

    What resists keeps its record, and so can be removed once the reason is; returns the reasons by id. Files go
    first also because a full disk needs their room for the new table.
    """
    refused: dict[str, MdockError] = {}
    for container_id in ids:
        try:
            resources.release_all(home, container_id)
            _remove_files(home, container_id)
        except OSError as error:
            refused[container_id] = storage_error(error, home.path)
        except MdockError as error:
            refused[container_id] = error
    containers.remove(home, set(ids) - set(refused))
    return refused


def _remove_files(home: Home, container_id: str) -> None:
    """Remove the files, the spec last: as long as it is there, all the rest can still be found."""
    folder = home.container_dir(container_id)
    with suppress(FileNotFoundError):
        for name in os.listdir(folder):
            if re.fullmatch(_EXEC, name):  # one that could not be ended has been told of
                os.unlink(f"{folder}/{name}")
    for path in (home.container_log(container_id), f"{folder}/steps.json", f"{folder}/spec.json"):
        with suppress(FileNotFoundError):
            os.unlink(path)
    try:
        os.rmdir(folder)
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.ENOTEMPTY, errno.EEXIST):  # with files that are not mdock's
            raise


def keep_replaced(home: Home, ids: Sequence[str], folder: str) -> None:
    """Keep ``folder``, an image that was replaced, for the containers that run in it. Lock held.

    When the last of them is removed, or pruned, it goes too.
    """
    if not ids:
        return
    name = f"kept-{os.getpid()}-{os.urandom(6).hex()}"
    for container_id in ids:
        resources.note(home, container_id, resources.KeptImage(name=name))
    kept = f"{home.run_dir}/{name}"
    os.rename(folder, kept)
    for container_id in ids:
        spec = load_extra(home, container_id, "spec")
        save_extra(home, container_id, "spec", spec | {"rootfs": f"{kept}/rootfs", "private": kept})
