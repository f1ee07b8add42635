"""Results as text and as HTML: pure functions of the model. The two forms say the same.

The text of a run is deterministic: what differs from run to run (pids, times, microseconds) is left to the
HTML and to :func:`steps_text`. ``markup.py`` says how HTML is made; ``text/`` and ``html/`` have one file a kind of
result, and on top of each ``forms.py``, which picks a form by the type of a value; ``pages/`` are whole documents.
"""

from __future__ import annotations

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
    "status_html",
    "status_text",
    "steps_html",
    "steps_text",
    "timeline_html",
    "timeline_text",
    "to_html",
    "to_text",
    "trace_json",
    "tree_html",
    "tree_text",
    "walk_html",
    "walk_text",
]


def __getattr__(name: str) -> object:
    """Import the forms when one is asked for (PEP 562): a terminal does without HTML."""
    if name not in __all__:
        raise AttributeError(f"module 'udock_lab.display' has no attribute {name!r}")
    if name == "trace_json":
        from udock_lab.display.traceevents import trace_json

        return trace_json
    if name.endswith("_html"):
        from udock_lab.display.html import forms as pages

        return getattr(pages, name)
    from udock_lab.display.text import forms

    return getattr(forms, name)
