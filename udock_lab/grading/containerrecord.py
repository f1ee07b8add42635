"""What exercise m2_4 is given to write down: a container that has begun to run."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["ContainerRecord"]


class ContainerRecord(NamedTuple):
    """A container as it is known when ``fork`` has returned: how it ends, nobody knows yet.

    ``start_time`` in seconds since 1970, with a fraction, as ``time.time()`` says it.
    """

    id: str
    pid: int
    image: str
    start_time: float
