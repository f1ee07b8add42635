"""Native HTML controls, labelled and escaped: a keyboard and a screen reader know what to do with them."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from udock_lab.display.html import say

__all__ = ["button", "checkbox", "field", "problem", "select", "status"]


def button(
    text: str,
    do: str,
    value: str = "",
    *,
    label: str = "",
    kind: str = "",
    usable: bool = True,
    extra: str = "",
) -> str:
    """Return a button; Enter in a field presses the one with ``kind="main"``.

    ``label`` is its full name where the text says too little. A button that cannot be used stays where it is and
    keeps the focus (aria-disabled).
    """
    named = f' aria-label="{escape(label)}"' if label else ""
    off = "" if usable else ' aria-disabled="true"'
    return (
        f'<button type="button" class="{kind}" data-do="{do}" data-value="{escape(value)}"{named}{off}{extra}>'
        f"{say(text)}</button>"
    )


def field(label: str, do: str, value: str, *, of: str = "", size: int = 12, hint: str = "", wide: bool = False) -> str:
    """Return a line of text under its label. ``of`` tells several fields of one action apart."""
    shown = f' placeholder="{escape(hint)}"' if hint else ""
    return (
        f'<label class="{"wide" if wide else ""}"><span>{say(label)}</span><input type="text" spellcheck="false" '
        f'autocapitalize="off" data-do="{do}" data-value="{escape(of)}" value="{escape(value)}" size="{size}"{shown}>'
        "</label>"
    )


def select(label: str, do: str, value: str, choices: Sequence[str]) -> str:
    """Return a list to choose one from."""
    options = "".join(
        f'<option value="{escape(choice)}"{" selected" if choice == value else ""}>{say(choice)}</option>'
        for choice in choices
    )
    return f'<label><span>{say(label)}</span><select data-do="{do}">{options}</select></label>'


def checkbox(label: str, do: str, *, checked: bool) -> str:
    """Return a box to tick."""
    return (
        f'<label class="tick"><input type="checkbox" data-do="{do}"{" checked" if checked else ""}>'
        f"<span>{say(label)}</span></label>"
    )


def problem(message: str, key: str = "problem") -> str:
    """Return what went wrong and what to do next, read out at once; nothing where nothing went wrong."""
    if not message:
        return ""
    lines = "".join(f"<span>{say(line)}</span>" for line in message.splitlines())
    return f'<p class="problem" role="alert" data-key="{escape(key)}"><b aria-hidden="true">✖</b>{lines}</p>'


def status(message: str) -> str:
    """Return a line that is read out when it changes; it keeps its place while it is empty."""
    return f'<p class="status" role="status">{say(message)}</p>'
