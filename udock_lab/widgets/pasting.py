"""A task for a terminal: the lines to paste, each with a button that copies it, and what the records say meanwhile."""

from __future__ import annotations

from typing import Protocol

from udock_lab.display.html.cards import lesson_html
from udock_lab.display.markup import Markup, bare, html, joined, verbatim
from udock_lab.display.text.cards import lesson_text
from udock_lab.model import LessonCard
from udock_lab.widgets.panel import Panel

__all__ = ["TerminalPanel", "terminal_panel"]


class TerminalWork(Protocol):
    """What the panel needs of a task (``lesson.terminal_task``)."""

    goal: str
    done: bool
    first_step: str

    @property
    def first_line(self) -> str:
        """What is pasted first."""

    @property
    def second_line(self) -> str:
        """What is pasted into a second terminal; may be empty."""

    @property
    def second_step(self) -> str:
        """What to do there."""

    @property
    def state(self) -> str:
        """What is waited for, or what was done."""

    def look(self) -> None:
        """Read the records."""

    def card(self) -> LessonCard:
        """Return the static form."""


class TerminalPanel(Panel):
    """It looks while it is seen, less than twice a second; a task that is done is looked at no more."""

    label = "in a terminal"
    interval = 0.7

    def __init__(self, task: TerminalWork) -> None:
        self.task = task
        super().__init__()

    def look(self) -> None:
        self.task.look()

    def page(self) -> Markup:
        task = self.task
        steps = [_step(1, task.first_step, task.first_line)]
        if task.second_line:
            steps.append(_step(2, task.second_step, task.second_line))
        sign, mood = ("✔", "good") if task.done else ("◔", "")
        return html(
            '<p class="verdict">{}</p>{}<p class="verdict state {}" role="status">'
            '<span aria-hidden="true">{}</span> {}</p>',
            *(task.goal, joined(steps), mood, sign, task.state),
        )

    def text(self) -> str:
        return lesson_text(self.task.card())

    def picture(self) -> Markup:
        return bare(lesson_html(self.task.card()))


def _step(number: int, words: str, line: str) -> Markup:
    return html(
        '<div data-key="step-{}"><p>{}. {}</p><div class="paste"><pre class="shell" tabindex="0" '
        'aria-label="line to paste, step {}">{}</pre>'
        '<button type="button" data-copy="{}" aria-label="Copy the line of step {}">Copy</button></div></div>',
        *(number, number, words, number, verbatim(line), verbatim(line), number),
    )


def terminal_panel(task: TerminalWork) -> TerminalPanel:
    """Return the panel of a task."""
    return TerminalPanel(task)
