"""Results as text and as HTML: pure functions of the model. The two forms say the same.

The text of a run is deterministic: what differs from run to run (pids, times, microseconds) is left to the
HTML and to :func:`steps_text`.
"""

from udock_lab.display.html import (
    doctor_html,
    images_html,
    inspect_html,
    ps_html,
    record_html,
    run_html,
    status_html,
    steps_html,
    to_html,
)
from udock_lab.display.lanes import timeline_html
from udock_lab.display.snapshots import changes_html, changes_text
from udock_lab.display.text import (
    doctor_text,
    images_text,
    inspect_text,
    ps_text,
    record_text,
    run_text,
    size,
    status_text,
    steps_text,
    to_text,
    uptime,
)
from udock_lab.display.timeline import timeline_text
from udock_lab.display.tree import tree_html, tree_text

__all__ = [
    "changes_html",
    "changes_text",
    "doctor_html",
    "doctor_text",
    "images_html",
    "images_text",
    "inspect_html",
    "inspect_text",
    "ps_html",
    "ps_text",
    "record_html",
    "record_text",
    "run_html",
    "run_text",
    "size",
    "status_html",
    "status_text",
    "steps_html",
    "steps_text",
    "timeline_html",
    "timeline_text",
    "to_html",
    "to_text",
    "tree_html",
    "tree_text",
    "uptime",
]
