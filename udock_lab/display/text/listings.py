"""The tables of ``mdock ps`` and ``mdock images``."""

from __future__ import annotations

from collections.abc import Sequence

from udock_lab.display.tables import table
from udock_lab.model import (
    Container,
    Image,
)
from udock_lab.text.amounts import uptime
from udock_lab.text.columns import cut
from udock_lab.text.terminal import printable

__all__ = ["IMAGES_HEAD", "PS_HEAD", "images_rows", "images_text", "ps_rows", "ps_text"]

PS_HEAD = ("CONTAINER ID", "IMAGE", "COMMAND", "STATUS", "PID", "UPTIME", "STARTED", "EXIT")
IMAGES_HEAD = ("IMAGE", "CREATED", "ROOTFS")
_COMMAND_WIDTH = 32  # columns of a command that ps shows


def ps_rows(containers: Sequence[Container], *, whole: bool = False) -> list[list[str]]:
    """Return one row a container, every cell printable; ``whole``: commands however long."""
    rows = []
    for c in containers:
        rows.append(
            [
                printable(c.id),
                printable(c.record.image),
                printable(c.command) if whole else cut(printable(c.command), _COMMAND_WIDTH),
                printable(c.state),
                str(c.record.pid),
                uptime(c.uptime) if c.alive else "-",
                printable(c.record.start_time),
                "-" if c.record.exit_code is None else str(c.record.exit_code),
            ]
        )
    return rows


def ps_text(containers: Sequence[Container], *, whole: bool = False) -> str:
    """List running and ended containers."""
    return table(PS_HEAD, ps_rows(containers, whole=whole))


def images_rows(images: Sequence[Image]) -> list[list[str]]:
    """Return one row an image, every cell printable."""
    return [[printable(i.name), printable(i.created), printable(i.rootfs)] for i in images]


def images_text(images: Sequence[Image]) -> str:
    """List all images."""
    return table(IMAGES_HEAD, images_rows(images))
