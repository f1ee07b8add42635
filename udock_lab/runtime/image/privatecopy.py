"""A root file system for one container alone: a copy of its image's, which goes when the container is removed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from udock_lab.linux.ownership import adopt
from udock_lab.linux.unwinding import Unwinding
from udock_lab.runtime.image.copying import copy_tree
from udock_lab.runtime.state.home import Home, storage_error
from udock_lab.runtime.state.resources import Claim
from udock_lab.runtime.state.rootsource import PrivateCopy

__all__ = ["private_copy"]


@contextmanager
def private_copy(home: Home, rootfs: str) -> Iterator[tuple[PrivateCopy, str]]:
    """Make a copy of a root file system; give it with the name of its claim, for the request.

    A container that takes over the claim has the copy from then on. At the end of the block it is gone otherwise,
    whoever dies in between: what this process cannot remove any more, the next ``rm`` or ``prune`` does.
    Raises StorageError and what copying raises.
    """
    root = PrivateCopy(of=rootfs, folder=f"{home.run_dir}/copy-{os.getpid()}-{os.urandom(6).hex()}")
    with Unwinding():
        claim = Claim(home, *root.resources)
        try:
            _fill(home, root)
        except BaseException:
            claim.give_up()
            raise
    try:
        yield root, claim.name
    finally:
        claim.give_up()


def _fill(home: Home, root: PrivateCopy) -> None:
    try:
        os.mkdir(root.folder)
    except OSError as error:
        raise storage_error(error, home.path) from error
    adopt(root.folder)
    copy_tree(root.of, root.path)
