"""The lines of a program to put in order: choose one, move it by dragging, buttons, arrow keys or the handle, then try.

All of it is native controls: radio buttons choose a line, and a slider beside the list is where it stands. Its arrow
keys move the line, and so does dragging it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from udock_lab.display.html.cards import lesson_html, spoken
from udock_lab.display.markup import Markup, attributes, bare, html, joined, verbatim
from udock_lab.display.text.cards import lesson_text
from udock_lab.errors import MdockError
from udock_lab.model import CardText, LessonCard
from udock_lab.widgets.controls import button, problem, status
from udock_lab.widgets.panel import Panel

__all__ = ["OrderPanel", "order_panel"]

_HOW = (
    "Choose a line, then move it: drag it, use the buttons, or the slider beside the lines, which is where it stands."
)


class Attempted(Protocol):
    """What the panel needs of an attempt."""

    def card(self) -> LessonCard:
        """Return what happened."""


class Task(Protocol):
    """What the panel needs of a task (``lesson.put_in_order``)."""

    goal: str
    lines: tuple[str, ...]
    order: tuple[int, ...]

    @property
    def is_shown_below(self) -> bool:
        """A cell shows the last attempt."""

    def attempt(self, *numbers: object) -> Attempted:
        """Run the lines in that order."""

    def tries(self) -> Sequence[CardText]:
        """Return what was tried so far."""

    def on_try(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` when an order was tried."""

    def card(self) -> LessonCard:
        """Return the static form."""


class OrderPanel(Panel):
    """``order`` holds the numbers of the lines as they stand, ``chosen`` the number of the line that moves."""

    label = "put in order"

    def __init__(self, task: Task) -> None:
        self.task = task
        self.order = [*task.order]
        self.chosen = self.order[0]
        self.problem = ""
        self.running = False
        self.attempted: Attempted | None = None
        super().__init__()
        task.on_try(self._tried)

    def actions(self) -> Mapping[str, Callable[[Any], None]]:
        return {
            "choose": lambda value: self._choose(int(value[1])),
            "up": lambda _: self._move(self.place - 1),
            "down": lambda _: self._move(self.place + 1),
            "place": lambda value: self._move(len(self.order) - int(value[1])),
            "try": lambda _: self._try(),
        }

    @property
    def place(self) -> int:
        """Where the chosen line stands, from 0."""
        return self.order.index(self.chosen)

    def _choose(self, number: int) -> None:
        if number in self.order:
            self.chosen = number

    def _move(self, place: int) -> None:
        if 0 <= place < len(self.order):
            self.order.remove(self.chosen)
            self.order.insert(place, self.chosen)

    def _try(self) -> None:
        """Run the lines as they stand, in a thread: a wrong order may wait for seconds."""
        if not self.running:
            self.running, self.attempted, self.problem = True, None, ""
            order = (*self.order,)
            self.in_background(lambda: self._run(order))

    def _run(self, order: tuple[int, ...]) -> None:
        try:
            attempted, said = self.task.attempt(*order), ""
        except MdockError as error:
            attempted, said = None, str(error)
        finally:
            self.running = False
        with self.lock:
            self.attempted, self.problem = None if self.task.is_shown_below else attempted, said

    def _tried(self) -> None:
        """Show the order that was tried, here or by a call; lines that were moved meanwhile stay where they are."""
        with self.lock:
            if not self.running:
                self.order, self.attempted = [*self.task.order], None
        self.draw()

    def page(self) -> Markup:
        last = len(self.order) - 1
        lines = joined(self._line(place, number) for place, number in enumerate(self.order))
        moves = (
            button("Move up", "up", usable=self.place > 0),
            button("Move down", "down", usable=self.place < last),
            button("Try order", "try", kind="main", usable=not self.running),
        )
        said = "It runs ..." if self.running else " ".join(part.text for part in self.task.tries())
        return html(
            '<fieldset><legend class="verdict">Put these lines in order, so that {}.</legend><p class="status">{}</p>'
            '<div class="moving"><div class="choices" data-moves>{}</div>{}</div></fieldset>'
            '<div class="bar" data-key="moves">{}</div>{}{}<div class="ended" data-key="attempt">{}</div>',
            *(spoken(self.task.goal), _HOW, lines, self._handle(), joined(moves), problem(self.problem), status(said)),
            bare(lesson_html(self.attempted.card())) if self.attempted else "",
        )

    def _line(self, place: int, number: int) -> Markup:
        chosen = number == self.chosen
        return html(
            '<label{}><input type="radio" name="line" data-do="choose" value="{}"{}><b>{}</b><code>{}</code></label>',
            *(attributes(kind="chosen" if chosen else ""), number, attributes(checked=chosen)),
            *(number, verbatim(self.task.lines[number])),
        )

    def _handle(self) -> Markup:
        """Return a slider whose upper end is the first place, so that the arrow keys go the way they point."""
        count = len(self.order)
        where = f"line {self.chosen}: place {self.place + 1} of {count}"
        return html(
            '<input type="range" class="handle" data-do="place" min="1" max="{}" step="1" value="{}"{}>',
            *(count, count - self.place, attributes(aria_label="place of the chosen line", aria_valuetext=where)),
        )

    def text(self) -> str:
        return lesson_text(self.task.card())

    def picture(self) -> Markup:
        return bare(lesson_html(self.task.card()))


def order_panel(task: Task) -> OrderPanel:
    """Return the panel of a task."""
    return OrderPanel(task)
