"""The tables of ``mdock ps`` and ``mdock images``, and the JSON of ``mdock inspect``."""

from __future__ import annotations

from collections.abc import Sequence

from udock_lab.display.markup import Markup, card, html, table, verbatim
from udock_lab.display.text.inspection import inspect_text
from udock_lab.display.text.listings import IMAGES_HEAD, PS_HEAD, images_rows, ps_rows
from udock_lab.model import Container, Image, Inspection

__all__ = ["images_html", "inspect_html", "ps_html"]


def ps_html(containers: Sequence[Container], *, whole: bool = False) -> Markup:
    """List running and ended containers."""
    return card(table(PS_HEAD, ps_rows(containers, whole=whole)), "containers")


def images_html(images: Sequence[Image]) -> Markup:
    """List all images."""
    return card(table(IMAGES_HEAD, images_rows(images)), "images")


def inspect_html(inspection: Inspection) -> Markup:
    """Show JSON, as docker inspect prints it."""
    return card(html('<pre tabindex="0">{}</pre>', verbatim(inspect_text(inspection))), "inspection")
