"""Who is whose child: lists in lists, with the pids."""

from __future__ import annotations

from collections.abc import Sequence

from udock_lab.display.markup import Markup, card, html, joined
from udock_lab.display.text.tree import EXPLAINED, STATES, node_words
from udock_lab.model import ProcessNode

__all__ = ["tree_body", "tree_html"]


def tree_body(trees: ProcessNode | Sequence[ProcessNode]) -> Markup:
    """Show the tree without its frame."""
    roots = (trees,) if isinstance(trees, ProcessNode) else trees
    if not roots:
        return html("<p>no processes to be seen</p>")
    items = joined(map(_item, roots))
    return html('<ul class="tree" aria-label="processes, each above its children">{}</ul>', items)


def _item(node: ProcessNode) -> Markup:
    role = node.role or "process"
    kind = role.split()[0] if role.split()[:1] in ([name] for name in (*EXPLAINED, "container")) else "process"
    return html(
        '<li class="{}{}"><span class="node"><b>{}</b> <small>pid {}</small></span> {}{}{}</li>',
        *(kind, " zombie" if node.state == "Z" else "", role, node.pid),
        *(_what(node), _state(node), html("<ul>{}</ul>", joined(map(_item, node.children))) if node.children else ""),
    )


def _what(node: ProcessNode) -> Markup:
    words = node_words(node)
    return html("<span>{}</span>", words) if node.role in EXPLAINED else html("<code>{}</code>", words)


def _state(node: ProcessNode) -> Markup | str:
    if node.state not in STATES:
        return ""
    return html(" <em>{} {}</em>", "✝" if node.state == "Z" else "‖", STATES[node.state])


def tree_html(trees: ProcessNode | Sequence[ProcessNode]) -> Markup:
    """Show the tree in its frame."""
    return card(tree_body(trees), "process tree")
