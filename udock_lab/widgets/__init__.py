"""Panels for notebooks: the only room that imports ipywidgets and anywidget.

Each has a static form (text, and HTML with the same content) for wherever no widget can run; ``UDOCK_WIDGETS=off``
in the environment asks for that everywhere. ``panel.py`` says how they work.
"""

from udock_lab.widgets.answering import ticket_panel
from udock_lab.widgets.asking import question
from udock_lab.widgets.containers import containers_panel
from udock_lab.widgets.ordering import order_panel
from udock_lab.widgets.pasting import terminal_panel
from udock_lab.widgets.running import run_panel
from udock_lab.widgets.status import status_decoder
from udock_lab.widgets.tree import process_tree

__all__ = [
    "containers_panel",
    "order_panel",
    "process_tree",
    "question",
    "run_panel",
    "status_decoder",
    "terminal_panel",
    "ticket_panel",
]
