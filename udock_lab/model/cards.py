"""What a lesson shows at one place."""

from __future__ import annotations

from udock_lab.model.runs import RunResult
from udock_lab.model.sandboxes import SandboxResult
from udock_lab.model.value import Value

__all__ = ["CardBox", "CardChoices", "CardLines", "CardMap", "CardTable", "CardText", "LessonCard"]


class CardText(Value):
    """A paragraph on a lesson's card; words between backticks are code.

    ``kind``: empty, ``note``, ``hint`` or ``download``. ``leads_to`` is the path of a file beside the notebook, where
    there is one: HTML makes the paragraph a link, with ``download`` one that the browser saves.
    """

    text: str
    kind: str = ""
    leads_to: str = ""


class CardChoices(Value):
    """The answers of a question; ``chosen`` is the one that was given, empty before."""

    labels: tuple[str, ...]
    chosen: str = ""


class CardLines(Value):
    """Lines of a program or of output, shown as they are under ``title``; ``numbers`` stand before them."""

    title: str
    lines: tuple[str, ...]
    numbers: tuple[int, ...] = ()


class CardTable(Value):
    """A table; the first cell of a row is its header."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class CardBox(Value):
    """A lesson on the map: its name, short and long, how far the learner is, and what there is to say of it.

    ``state`` is empty, ``begun``, ``read``, ``answered`` or ``done``; ``here`` says that the map stands in this lesson.
    """

    short: str
    title: str
    state: str = ""
    here: bool = False
    notes: tuple[str, ...] = ()
    leads_to: str = ""


class CardMap(Value):
    """The way through the course, a box for each lesson; a ``strip`` has them small, in one row."""

    boxes: tuple[CardBox, ...]
    strip: bool = False


class LessonCard(Value):
    """What a lesson says at one place: a headline, then parts in order, then a result that it is about.

    ``label`` is what the card is (``prediction``, ``exit ticket``); ``mood`` colours the sign before the
    headline and says nothing that the headline does not say: empty, ``good``, ``some`` or ``bad``.
    """

    label: str
    headline: str
    mood: str = ""
    parts: tuple[CardText | CardChoices | CardLines | CardTable | CardMap, ...] = ()
    result: RunResult | SandboxResult | None = None
