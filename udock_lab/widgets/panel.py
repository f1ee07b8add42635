"""What all widgets share: a page rendered in Python, a browser that follows it, and a static form of the same.

A panel's state lives in Python alone. ``page()`` renders it with the house's HTML; the browser (``panel.js``) makes
its page equal to that. What a person does comes back as an action and a value, and the method that ``actions``
names for it changes the state. So each panel can be tested without a browser, and says the same without one.

Messages may arrive on another thread than the main one (JupyterLab gives comms a subshell where the kernel has
them), also while a cell runs. State is therefore changed under the panel's lock; what takes long goes to a thread.
"""

from __future__ import annotations

import os
import threading
import uuid
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from udock_lab import display
from udock_lab.display.markup import Markup, card, html, standing_in
from udock_lab.runtime.engine import Runtime
from udock_lab.widgets.clock import Clock

__all__ = ["Panel", "chosen", "static_only"]

_HERE = Path(__file__).parent
_VIEW = "application/vnd.jupyter.widget-view+json"


def chosen(runtime: Runtime | None) -> Runtime:
    """Return the runtime that was given, or the one of the home; raise UsageError for what is none."""
    if runtime is None:
        return Runtime()
    if not isinstance(runtime, Runtime):
        from udock_lab.text.arguments import refuse

        refuse("runtime", runtime, "a Runtime", "For instance runtime=Runtime('~/another-home').")
    return runtime


def static_only() -> bool:
    """Return whether ``$UDOCK_WIDGETS`` is ``off``: then panels show their static form and nothing else.

    For published pages, and where the server lacks the widget extensions.
    """
    return os.environ.get("UDOCK_WIDGETS", "").lower() in ("off", "0", "no")


@cache
def _css() -> str:
    house = Path(display.__file__).with_name("style.css").read_text(encoding="utf-8")
    return house + (_HERE / "panel.css").read_text(encoding="utf-8")


def _go_where_the_browser_says(comm: Any) -> None:
    """Let each message of this panel reach the thread that JupyterLab addressed.

    ipykernel (7.4, ``comm/comm.py``) sends a comm's messages to whichever thread spoke for the comm last. What a
    program writes is shown by a thread of ours, which speaks for the running cell: a Stop pressed then would wait
    for the cell's end. A kernel without that rule never asks.
    """
    if comm is not None:
        comm._reply_subshell_for = lambda _data, addressed: addressed


class Panel(anywidget.AnyWidget):
    """The base of all widgets. A subclass gives ``label``, ``actions``, ``page``, ``text`` and ``picture``."""

    _esm = (_HERE / "panel.js").read_text(encoding="utf-8")
    _css = _css()
    _html = traitlets.Unicode().tag(sync=True)
    _label = traitlets.Unicode().tag(sync=True)
    _id = traitlets.Unicode().tag(sync=True)  # by which the page finds its model

    label = "panel"
    interval = 0.0  # seconds between two looks while it is shown; 0: it changes by actions alone

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._clock = Clock(self.refresh, self.interval) if self.interval else None
        own = uuid.uuid4().hex
        super().__init__(_label=self.label, _id=own, model_id=own, _html=str(self.page()))  # one message has it all
        _go_where_the_browser_says(self.comm)
        self.on_msg(self._on_message)

    # --- what a subclass says

    def actions(self) -> Mapping[str, Callable[[Any], None]]:
        """Name of an action in ``data-do``, and the method that takes its value."""
        return {}

    def page(self) -> Markup:
        """Return the live form as HTML, with its controls."""
        raise NotImplementedError

    def text(self) -> str:
        """Return the static form as text: the same for the same state, without pids and times."""
        raise NotImplementedError

    def picture(self) -> Markup:
        """Return the static form as HTML, without frame and style sheet."""
        raise NotImplementedError

    def look(self) -> None:
        """Find out what has changed outside. Called in a thread, without the lock."""

    # --- what it does with that

    def refresh(self) -> None:
        """Look again and show what is new."""
        self.look()
        self.draw()

    def draw(self) -> None:
        """Render the state; the browser hears of it only if the page is another one."""
        with self.lock:
            page = self.page()
            if page != self._html:
                self._html = str(page)

    def in_background(self, work: Callable[[], None]) -> None:
        """Do what may take long in a thread that no shutdown waits for, then look again."""

        def run() -> None:
            try:
                work()
            finally:
                self.refresh()

        threading.Thread(target=run, name="udock-panel-work", daemon=True).start()

    def _on_message(self, _: object, content: dict[str, Any], __: object) -> None:
        what, view = content.get("do"), str(content.get("view"))
        if what in ("shown", "hidden"):
            if self._clock is not None:
                (self._clock.shown if what == "shown" else self._clock.hidden)(view)
            return
        if what == "loaded":
            self.send_state("_html")
            return
        action = self.actions().get(str(what))
        try:
            if action is not None:
                with self.lock:
                    action(content.get("value"))
                self.draw()
        finally:
            self.send({"answers": view})

    def close(self) -> None:
        """Take it off the page and stop its clock."""
        if self._clock is not None:
            self._clock.stop()
        super().close()

    def __repr__(self) -> str:
        return self.text()

    def __str__(self) -> str:
        return self.text()

    def _ipython_display_(self) -> None:
        """Show what stands in for the live view, and behind it the view; where there is none, the bundle is shown."""
        from IPython import display as frontend

        show: Any = frontend.display
        bundle = self._repr_mimebundle_()
        if not isinstance(bundle, tuple) or _VIEW not in bundle[0]:
            raise NotImplementedError
        body = html('{}<p class="hint">As it was. To have its buttons, run this cell.</p>', self.picture())
        still = standing_in(card(body, self.label))
        show({"text/plain": bundle[0]["text/plain"], "text/html": still}, raw=True)
        show({_VIEW: bundle[0][_VIEW]}, raw=True)

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        """Return text and HTML for everyone; the live view on top where there is a front end for it."""
        self.refresh()
        forms = {"text/plain": self.text(), "text/html": str(card(self.picture(), self.label))}
        view = None if static_only() else super()._repr_mimebundle_(**kwargs)
        if view is None:
            return forms
        data, metadata = view
        return {**data, **forms}, metadata
