"""The 16 bits of a wait status (wait(2))."""

from __future__ import annotations

from functools import cache, lru_cache

from udock_lab.display.markup import Markup, attributes, card, html, joined, table
from udock_lab.display.text.status import MACROS_HEAD, status_groups, status_macros, status_words
from udock_lab.model import ExitStatus

__all__ = ["status_body", "status_html"]


@cache
def _boxes(value: str) -> Markup:
    return joined(html("<i>{}</i>", bit) if bit == "0" else html("<i><b>{}</b></i>", bit) for bit in value)


@lru_cache(maxsize=32)
def status_body(status: ExitStatus) -> Markup:
    """Show the groups of bits and what they say, without frame and macros."""
    groups = joined(
        html(
            '<div{}><div role="img" aria-label="{}: {}">{}</div>'
            "<small>{}</small><strong>{}</strong><code>{}</code></div>",
            *(attributes(kind="on" if counts else ""), where, value, _boxes(value), where, meaning, formula),
        )
        for where, value, meaning, formula, counts in status_groups(status)
    )
    return html('<div class="bits">{}</div><p>wait status {}: {}</p>', groups, status.raw, status_words(status))


def status_html(status: ExitStatus) -> Markup:
    """Show the 16 bits of a wait status and the macros that read them (wait(2))."""
    return card(status_body(status) + table(MACROS_HEAD, status_macros(status)), "wait status")
