"""How the objects of a lesson show themselves: once, wherever they stand in a cell."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from udock_lab.display.html.cards import lesson_html
from udock_lab.display.markup import standing_in
from udock_lab.display.text.cards import lesson_text

if TYPE_CHECKING:
    from udock_lab.model import LessonCard

__all__ = ["Shown", "has_panels", "is_open", "live", "shell"]

_VIEW = "application/vnd.jupyter.widget-view+json"


def shell() -> Any:
    """Return the IPython shell that runs the cells, or None in plain Python."""
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython is not None else None


class Shown:
    """Something with a card: text for a terminal, text and HTML in a notebook.

    :meth:`show` puts it under the running cell at once, so that it is seen inside an ``if`` and behind an
    assignment too; standing in the last line of the same cell it is not shown a second time. In plain Python
    ``show`` does nothing: print the object.
    """

    _shown: tuple[int, str] | None = None
    _display_id = ""  # where it can be drawn anew: with that name a front end finds what it shows
    _stand_in_id = ""  # the same for what stands in for its panel

    def card(self) -> LessonCard:
        """Return what there is to say."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return lesson_text(self.card())

    def _repr_html_(self) -> str:
        return lesson_html(self.card())

    def _view(self) -> dict[str, Any]:
        """Return further forms, for instance a widget's."""
        return {}

    def show(self) -> None:
        """Show it under the running cell, unless this cell shows it already."""
        if shell() is not None:
            self._ipython_display_()

    def draw(self, other: Shown) -> None:
        """Draw another one where this was shown; nothing happens where it was not, or without a ``_display_id``."""
        running = shell()
        if self._display_id and self._shown and getattr(running, "kernel", None) is not None:
            data = {"text/plain": repr(other), "text/html": other._repr_html_()}
            running.display_pub.publish(data, transient={"display_id": self._display_id}, update=True)

    def redraw(self) -> None:
        """Draw anew what stands in for its panel: who opens the notebook later, without its kernel, sees that."""
        running = shell()
        if self._stand_in_id and getattr(running, "kernel", None) is not None:
            data = {"text/plain": repr(self), "text/html": standing_in(self._repr_html_())}
            running.display_pub.publish(data, transient={"display_id": self._stand_in_id}, update=True)

    def _ipython_display_(self) -> None:
        running = shell()
        state = (running.execution_count if running is not None else -1, repr(self))
        if state == self._shown:
            return
        self._shown = state
        if running is None:
            print(state[1])
            return
        data, view = {"text/plain": state[1], "text/html": self._repr_html_()}, self._view()
        name = self._display_id
        if view:
            name = self._stand_in_id = self._stand_in_id or f"udock-lab-{os.urandom(8).hex()}"
            data["text/html"] = standing_in(data["text/html"])
        running.display_pub.publish(data, transient={"display_id": name} if name else {})
        if view:
            running.display_pub.publish(view)


def has_panels() -> bool:
    """Return whether panels can be shown: in a kernel, with ipywidgets and anywidget, and not switched off."""
    if getattr(shell(), "kernel", None) is None:
        return False
    try:
        from udock_lab.widgets.panel import static_only
    except ModuleNotFoundError:
        return False
    return not static_only()


def live(name: str, *about: object, panel: Any = None) -> tuple[Any, dict[str, Any]]:
    """Return the panel of that name in :mod:`udock_lab.widgets`, made unless it is given, and what shows it.

    Outside a kernel, and where ipywidgets or anywidget is not installed, there is none: text or HTML is shown.
    """
    if not has_panels():
        return panel, {}
    from udock_lab import widgets

    panel = panel or getattr(widgets, name)(*about)
    bundle = panel._repr_mimebundle_()
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    return panel, {_VIEW: data[_VIEW]} if data and _VIEW in data else {}


def is_open(given: object) -> bool:
    """Return whether what stands in the place of an answer is none yet: None, ``...``, nothing."""
    return given is None or given is Ellipsis or (isinstance(given, str) and given.strip() in ("", "..."))
