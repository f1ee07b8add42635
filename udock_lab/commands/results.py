"""What commands return where the model has no noun for it: text, lines, listings. Values, no output.

Each shows as plain text (``str``); a listing has an HTML form with the same content too.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Generic, TypeVar

from udock_lab.model import Container, Image
from udock_lab.text.terminal import printable

if TYPE_CHECKING:
    from udock_lab.model import Inspection

__all__ = ["Containers", "Images", "Inspections", "Lines", "Text", "tell"]

T = TypeVar("T")


class Text(str):
    """Text that a notebook shows as it is, not as a quoted Python string."""

    __slots__ = ()


class Lines(list[T], Generic[T]):
    """A list that shows as one item a line: the ids that ``stop`` stopped, the codes that ``wait`` saw."""

    def __str__(self) -> str:
        return "\n".join(str(item) for item in self)


class Images(list[Image]):
    """What ``mdock images`` found: a list that shows as a table."""

    empty = "no image yet; make one with: mdock demo"

    def __str__(self) -> str:
        from udock_lab.display.text.listings import images_text

        return images_text(self) + ("" if self else f"\n({self.empty})")

    def _repr_html_(self) -> str:
        from udock_lab.display.html.listings import images_html
        from udock_lab.display.markup import html

        return images_html(self) + ("" if self else html("<p>{}</p>", self.empty))


class Containers(list[Container]):
    """What ``mdock ps`` found: a list that shows as a table."""

    empty = "none; start one with: mdock run demo -- /bin/true"

    def __init__(self, found: Iterable[Container] = (), *, whole: bool = False) -> None:
        super().__init__(found)
        self.whole = whole  # commands in full, however long

    def __str__(self) -> str:
        from udock_lab.display.text.listings import ps_text

        return ps_text(self, whole=self.whole) + ("" if self else f"\n({self.empty})")

    def _repr_html_(self) -> str:
        from udock_lab.display.html.listings import ps_html
        from udock_lab.display.markup import html

        return ps_html(self, whole=self.whole) + ("" if self else html("<p>{}</p>", self.empty))


class Inspections(list["Inspection"]):
    """What ``mdock inspect`` knows of several names: a list that shows as one JSON array."""

    def __str__(self) -> str:
        from udock_lab.display.text.inspection import inspect_text

        return "[\n" + ",\n".join(inspect_text(one) for one in self) + "\n]"

    def _repr_html_(self) -> str:
        from udock_lab.display.html.listings import inspect_html

        return "".join(inspect_html(one) for one in self)


def tell(value: object) -> str:
    """Return the text form of anything a command returns, for a terminal (no final newline)."""
    if isinstance(value, (str, Lines, Images, Containers, Inspections)):
        return str(value)
    if isinstance(value, Image):
        return f"Image '{value.name}' is ready: {printable(value.rootfs)}"
    from udock_lab.display.text.forms import to_text

    return to_text(value)
