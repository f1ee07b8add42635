"""Native HTML controls, each with a label: a keyboard and a screen reader know what to do with them."""

from __future__ import annotations

from collections.abc import Sequence

from udock_lab.display.markup import Markup, attributes, html, joined, verbatim

__all__ = ["button", "checkbox", "field", "problem", "select", "status"]


def button(
    text: str,
    do: str,
    value: str = "",
    *,
    label: str = "",
    kind: str = "",
    usable: bool = True,
    extra: Markup | str = "",
) -> Markup:
    """Return a button; Enter in a field presses the one with ``kind="main"``.

    ``label`` is its full name where the text says too little, ``extra`` are further attributes. A button that cannot
    be used stays where it is and keeps the focus (aria-disabled).
    """
    named = attributes(aria_label=label, aria_disabled="" if usable else "true")
    return html(
        '<button type="button" class="{}" data-do="{}" data-value="{}"{}{}>{}</button>',
        *(kind, do, verbatim(value), named, extra, text),
    )


def field(
    label: str, do: str, value: str, *, of: str = "", size: int = 12, hint: str = "", wide: bool = False
) -> Markup:
    """Return a line of text under its label. ``of`` tells several fields of one action apart."""
    return html(
        '<label class="{}"><span>{}</span><input type="text" spellcheck="false" autocapitalize="off" '
        'data-do="{}" data-value="{}" value="{}" size="{}"{}></label>',
        *("wide" if wide else "", label, do, verbatim(of), verbatim(value), size, attributes(placeholder=hint)),
    )


def select(label: str, do: str, value: str, choices: Sequence[str]) -> Markup:
    """Return a list to choose one from."""
    options = joined(
        html('<option value="{}"{}>{}</option>', verbatim(choice), attributes(selected=choice == value), choice)
        for choice in choices
    )
    return html('<label><span>{}</span><select data-do="{}">{}</select></label>', label, do, options)


def checkbox(label: str, do: str, *, checked: bool) -> Markup:
    """Return a box to tick."""
    return html(
        '<label class="tick"><input type="checkbox" data-do="{}"{}><span>{}</span></label>',
        *(do, attributes(checked=checked), label),
    )


def problem(message: str, key: str = "problem") -> Markup:
    """Show what went wrong and what to do next, read out at once; nothing where nothing went wrong."""
    if not message:
        return joined([])
    lines = joined(html("<span>{}</span>", line) for line in message.splitlines())
    return html('<p class="problem" role="alert" data-key="{}"><b aria-hidden="true">✖</b>{}</p>', verbatim(key), lines)


def status(message: str) -> Markup:
    """Return a line that is read out when it changes; it keeps its place while it is empty."""
    return html('<p class="status" role="status">{}</p>', message)
