"""``put_in_order``: the lines of a program, to be ordered; every attempt is run in a sandbox.

The order that a cell comes with is shown, and no try: Run All makes none. Once the right one was found, it is drawn
in its place, also where the cell runs again with the numbers that it came with. Both are kept by their lines, because a
later version of a lesson may have others.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any

from udock_lab.errors import UsageError
from udock_lab.lesson.ledger import facts_in, facts_of, now
from udock_lab.lesson.session import current, ledger
from udock_lab.lesson.showing import Shown, has_panels, live
from udock_lab.model import CardLines, CardText, LessonCard, SandboxResult
from udock_lab.sandbox import run

__all__ = ["Attempt", "OrderTask", "put_in_order"]

TIMEOUT = 5.0  # seconds for one attempt: a wrong order may wait for ever
SILENT = "\npass\n"  # a cell shows the value of its last line; a program does not
MOST_LINES = 20  # of an attempt's output

Expect = str | Callable[[SandboxResult], bool]


def put_in_order(name: str, lines: Sequence[str], *, expect: Expect, goal: str) -> OrderTask:
    """Show numbered lines of a program and what it is to do.

    ``lines`` stand in an order that does not work; one may hold several lines that belong together. ``expect`` is the
    exact standard output of a program in a right order, or a function that judges the run; ``goal`` says it in words.
    """
    if isinstance(lines, str) or len(lines) < 2:
        raise UsageError("put_in_order takes a list of at least two lines.")
    task = OrderTask(name, tuple(lines), expect, goal)
    lesson = current()
    if lesson is not None:
        lesson.orders[name] = task
        lesson.note_asked("orders", name)
    task.show()
    return task


class OrderTask(Shown):
    """The task; :meth:`try_order` runs an attempt."""

    def __init__(self, name: str, lines: tuple[str, ...], expect: Expect, goal: str) -> None:
        self.name, self.lines, self.expect, self.goal = name, lines, expect, goal
        lesson = current()
        self.slug = lesson.slug if lesson else ""
        self._own: dict[str, Any] = {}  # what is known of it outside a lesson, and where the home cannot be written
        self.order = self._kept("found") or tuple(range(len(lines)))  # that was tried last
        self._panel: Any = None
        self._below: Attempt | None = None  # the attempt that a cell shows
        self._listeners: list[Callable[[], None]] = []

    def on_try(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` when an order was tried (a panel redraws itself)."""
        self._listeners.append(listener)

    def try_order(self, *numbers: object) -> Attempt:
        """Run the lines in that order: ``try_order(0, 2, 1, 3)``. UsageError unless each number is there once.

        With the order that the cell came with it runs the right one instead, if that was found before.
        """
        order = self._order(numbers)
        came_with, found = self._kept("first") or order, self._kept("found")
        self._below = None
        if order == came_with and found:
            attempt = self._attempt(found, again=True)
        else:
            attempt = self._attempt(order, first=order == came_with)
        self._below = attempt
        attempt.show()
        return attempt

    @property
    def is_shown_below(self) -> bool:
        """A cell shows an attempt; the next ones are drawn there."""
        return self._below is not None

    def attempt(self, *numbers: object) -> Attempt:
        """Run the lines in that order, as the panel's button does; shown only in the place of an earlier attempt."""
        return self._attempt(self._order(numbers))

    def _attempt(self, order: tuple[int, ...], *, first: bool = False, again: bool = False) -> Attempt:
        """Run an order and keep what came of it: ``first`` that the cell came with it, ``again`` that it was found."""
        program = "\n".join(self.lines[number] for number in order) + SILENT
        result, broken = None, ""
        try:
            result = run(program, timeout=TIMEOUT)
        except UsageError as error:
            broken = f"{error.message} {error.hint}"
        attempt = Attempt(self, order, result, broken, again=again)
        if not again:
            self._store(attempt, first=first)
        self.order = order
        for listener in self._listeners:
            listener()
        self.redraw()
        if self._below is not None:
            self._below.draw(attempt)
        return attempt

    def _order(self, numbers: tuple[object, ...]) -> tuple[int, ...]:
        """Return the numbers, also where they come as one list."""
        if len(numbers) == 1 and isinstance(numbers[0], (list, tuple)):
            numbers = tuple(numbers[0])
        count = len(self.lines)
        example = f"Write each number from 0 to {count - 1} once, with commas between them. Nothing was run."
        for number in numbers:
            if type(number) is not int:
                raise UsageError(f"{number!r} is not the number of a line.", example)
            if not 0 <= number < count:
                raise UsageError(f"There is no line {number}.", example)
            if numbers.count(number) > 1:
                raise UsageError(f"Line {number} stands there {numbers.count(number)} times.", example)
        order = tuple(number for number in numbers if isinstance(number, int))
        missing = [str(number) for number in range(count) if number not in order]
        if missing:
            which = f"Line {missing[0]} is" if len(missing) == 1 else f"Lines {', '.join(missing)} are"
            raise UsageError(f"{which} missing.", example)
        return order

    def _facts(self) -> dict[str, Any]:
        """Return what is known of it, from earlier sessions too."""
        known = facts_of(ledger().facts("lessons", self.slug, "orders"), self.name) if self.slug else {}
        return known or self._own

    def _kept(self, which: str) -> tuple[int, ...]:
        """Return the ``first`` order, or the one that was ``found``; empty where it is not known, or of other lines."""
        kept, left, order = self._facts().get(which), [*enumerate(self.lines)], []
        for line in kept if isinstance(kept, list) else []:
            number = next((number for number, one in left if one == line), None)
            if number is not None:
                order.append(number)
                left.remove((number, self.lines[number]))
        return tuple(order) if len(order) == len(self.lines) == len(kept or ()) else ()

    def _store(self, attempt: Attempt, *, first: bool) -> None:
        """Keep that it was tried; not of the order that a cell came with, unless that is right."""
        lines = [self.lines[number] for number in attempt.order]

        def note(facts: dict[str, Any]) -> None:
            if first:
                facts["first"] = lines
            if attempt.solved:
                facts["found"] = lines
            if attempt.solved or not first:
                tries, times = facts.get("tries"), facts.get("times")
                facts["tries"] = tries + 1 if isinstance(tries, int) else 1
                facts["times"] = [*(times if isinstance(times, list) else []), now()]
                facts["solved"] = attempt.solved or facts.get("solved") is True

        note(self._own)
        if self.slug:
            ledger().change(
                lambda data: note(facts_in(facts_in(facts_in(data["lessons"], self.slug), "orders"), self.name))
            )

    def card(self) -> LessonCard:
        found = self._kept("found")
        order = found or tuple(range(len(self.lines)))
        lines = tuple(self.lines[number] for number in order)
        program = CardLines(title="in the order that you found" if found else "lines", lines=lines, numbers=order)
        say = "`task.try_order(...)` with all the numbers runs them in your order."
        hint = CardText(text=f"To move them here, run this cell. {say}" if has_panels() else say, kind="hint")
        headline = f"Put these lines in order, so that {self.goal}."
        return LessonCard(label="put in order", headline=headline, parts=(program, hint, *self.tries()))

    def _view(self) -> dict[str, Any]:
        """Return lines that can be moved, where a panel can be shown."""
        self._panel, view = live("order_panel", self, panel=self._panel)
        return view

    def tries(self) -> list[CardText]:
        """Return what was tried so far, in earlier sessions too."""
        facts = self._facts()
        count = facts.get("tries")
        if not isinstance(count, int) or not self.slug:
            return []
        found = "and found the order" if facts.get("solved") is True else "not solved yet"
        return [CardText(text=f"You tried {count} time{'' if count == 1 else 's'}, {found}.")]


class Attempt(Shown):
    """One attempt: the program as it ran, its output, and whether that was the order.

    ``result`` is the sandbox run, None where Python could not read the program in this order. ``again``: the order was
    found before, and stands in the place of the one that the cell came with.
    """

    def __init__(
        self, task: OrderTask, order: tuple[int, ...], result: SandboxResult | None, broken: str, *, again: bool = False
    ) -> None:
        self.task, self.order, self.result, self.again = task, order, result, again
        self.solved = result is not None and _meets(task.expect, result)
        self._broken = broken
        self._display_id = f"udock-lab-{os.urandom(8).hex()}"

    def card(self) -> LessonCard:
        lines = tuple(self.task.lines[number] for number in self.order)
        parts: list[CardLines | CardText] = [CardLines(title="your program", lines=lines, numbers=self.order)]
        if self.result is not None:
            parts += [CardLines(title="it wrote", lines=_output(self.result))]
        wanted = f"Wanted: {self.task.goal}."
        headline = "That is the order." if self.solved else f"Not yet. {wanted}"
        if self._broken:
            parts.append(CardText(text=self._broken))
        elif self.result is not None:
            verdict = self.result.verdict
            parts.append(CardText(text=verdict[:1].upper() + verdict[1:]))
        if self.again:
            parts.append(
                CardText(text="You found it before. The cell still has the numbers that it came with.", kind="note")
            )
        mood = "good" if self.solved else "some"
        return LessonCard(label="attempt", headline=headline, mood=mood, parts=tuple(parts))


def _meets(expect: Expect, result: SandboxResult) -> bool:
    """Return whether the run is as expected; a judge that fails on the run of a wrong order has said no."""
    if isinstance(expect, str):
        return result.stdout == expect
    try:
        return bool(expect(result))
    except Exception:
        return False


def _output(result: SandboxResult) -> tuple[str, ...]:
    """Return what was written, line by line, the writer's role before it; of an error message the last line."""
    said = []
    for (role, stream), chunks in groupby(result.output, key=lambda chunk: (chunk.role, chunk.stream)):
        lines = [line for line in "".join(chunk.text for chunk in chunks).splitlines() if line.strip()]
        said += [f"{role}: {line}" for line in (lines if stream == "stdout" else lines[-1:])]
    more = [f"and {len(said) - MOST_LINES} more lines"] if len(said) > MOST_LINES else []
    return tuple(said[:MOST_LINES] + more) or ("nothing",)
