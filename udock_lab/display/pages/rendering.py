"""The templates of this folder: escaped as everywhere, and a name that a template does not get is an error."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from udock_lab.display.markup import Markup, bare, card, paragraphs, style_sheet, trusted
from udock_lab.text.terminal import printable

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ["macro", "page"]


def page(template: str, **values: object) -> Markup:
    """Fill a template of this folder."""
    return trusted(_environment().get_template(template).render(values))


def macro(name: str, *values: object) -> Markup:
    """Fill a row of a table: a macro of rows.html."""
    return trusted(getattr(_rows(), name)(*values))


@cache
def _rows() -> object:
    return _environment().get_template("rows.html").module


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_as_said,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    script = trusted((Path(__file__).parent / "class.js").read_text(encoding="utf-8"))
    made.globals |= {"bare": bare, "card": card, "paragraphs": paragraphs, "style_sheet": style_sheet, "script": script}
    return made


def _as_said(value: object) -> object:
    """Make control characters of a text visible, as ``markup.html`` does."""
    return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value
