"""What commands return where the model has no noun for it: lines, text, tables. Pure values, no output.

Each has a plain-text form (``str``) and an HTML form with the same content, escaped and in the notebook's
own colours, so that it reads in light and dark themes and to a screen reader.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Sequence
from typing import Generic, TypeVar

from udock_lab.model import Container, Image

__all__ = ["Lines", "Table", "Text", "containers_table", "duration", "images_table", "printable", "tell"]

T = TypeVar("T")


class Text(str):
    """Text that a notebook shows as it is, not as a quoted Python string."""

    __slots__ = ()


class Lines(list[T], Generic[T]):
    """A list that shows as one item a line: the ids that ``stop`` stopped, the codes that ``wait`` saw."""

    def __str__(self) -> str:
        return "\n".join(str(item) for item in self)


class Table(list[T], Generic[T]):
    """A list of model objects that shows as a table.

    ``rows`` makes the cells of one object; ``empty`` is the sentence shown when there is none.
    """

    def __init__(
        self, items: Iterable[T], columns: Sequence[str], row: Callable[[T], Sequence[str]], empty: str
    ) -> None:
        super().__init__(items)
        self.columns = tuple(columns)
        self._row = row
        self.empty = empty

    @property
    def rows(self) -> list[list[str]]:
        """The cells as text, control characters made visible."""
        return [[printable(cell) for cell in self._row(item)] for item in self]

    def __str__(self) -> str:
        rows = [list(self.columns), *self.rows]
        widths = [max(len(row[column]) for row in rows) for column in range(len(self.columns))]
        text = "\n".join(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in rows
        )
        return text if self else f"{text}\n({self.empty})"

    def _repr_html_(self) -> str:
        head = "".join(
            f'<th scope="col" style="text-align:left">{html.escape(name)}</th>' for name in self.columns
        )
        body = "".join(
            "<tr>"
            + "".join(f'<td style="text-align:left">{html.escape(cell)}</td>' for cell in row)
            + "</tr>"
            for row in self.rows
        )
        if not self:
            body = f'<tr><td colspan="{len(self.columns)}">{html.escape(self.empty)}</td></tr>'
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def printable(text: str) -> str:
    """Make control characters and undecodable bytes visible, so that no cell can steer a terminal."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def duration(secs: float | None) -> str:
    """Seconds as HH:MM:SS (hours may pass 99); empty for None."""
    if secs is None:
        return ""
    whole = max(0, int(secs))
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def images_table(images: Iterable[Image]) -> Table[Image]:
    """What ``mdock images`` shows."""
    return Table(
        images,
        ("IMAGE", "CREATED", "ROOTFS"),
        lambda image: (image.name, image.created, image.rootfs),
        "no image yet; make one with: mdock demo",
    )


def containers_table(containers: Iterable[Container], *, running: bool = False) -> Table[Container]:
    """What ``mdock ps`` shows: the record beside what the kernel says now."""
    return Table(
        containers,
        ("ID", "IMAGE", "PID", "STATUS", "EXIT", "STARTED", "ENDED", "UPTIME", "COMMAND"),
        _container_row,
        "nothing is running" if running else "no container yet; start one with: mdock run demo",
    )


def _container_row(container: Container) -> tuple[str, ...]:
    record = container.record
    command = container.command if len(container.command) <= 40 else container.command[:39] + "…"
    return (
        record.id,
        record.image,
        str(record.pid),
        container.state,
        "" if record.exit_code is None else str(record.exit_code),
        record.start_time,
        record.end_time or "",
        duration(container.uptime),
        command,
    )


def tell(value: object) -> str:
    """The text form of anything a command returns, for a terminal (no final newline)."""
    if isinstance(value, (str, Lines, Table)):
        return str(value)
    if isinstance(value, Image):
        return f"Image '{value.name}' is ready: {value.rootfs}"
    from udock_lab import display

    return display.to_text(value)
