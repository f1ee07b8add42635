"""What a check cell calls. Cheap to import, since a solution's imports run anew in each sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from udock_lab.grading.checking import Hint, Score

__all__ = ["check", "check_hidden"]


def check(slug: str, *functions: Callable[..., object], bridge: str | None = None) -> Score:
    """Judge your functions for one exercise by what the kernel sees.

    ``functions`` in the order of the statement, for instance ``check("m2_1_process_creation", launch)``. They run
    in the sandbox only, with what they use of the notebook copied in. The result is a number, the points; it shows
    as a report, ``print(score)`` gives the report as text and ``score.hint()`` one hint at a time. For each failed
    requirement ``%reproduce`` and its number put a cell below in which it is seen to fail. Each check of a changed
    answer is a try; the points of all are kept in your ``progress.json``, and the report shows them. A function that
    is not written yet is not judged: it waits for you, and that is no try.

    With ``bridge="complete"`` or ``"repair"`` one function of the notebook's bridge is judged, for no points, and
    nothing is kept. NotFound for an exercise that does not exist; UsageError where a function is missing, is none, or
    cannot be copied.
    """
    from udock_lab.grading.checking import Score, given, on_the_bridge, scored
    from udock_lab.grading.history import mark_of
    from udock_lab.grading.reproducing import offered
    from udock_lab.lesson.session import keep_score

    if bridge is not None:
        return on_the_bridge(slug, functions, bridge)
    answer = given(slug, functions)
    score = Score(offered(*answer, scored(answer).report))
    if not score.report.waits:
        score.tell_tries(*keep_score(slug, float(score), score.report.out_of, mark_of(answer[1].functions)))
    return score


def check_hidden(slug: str, *functions: Callable[..., object]) -> Score | Hint:
    """Judge the hidden requirements of an exercise, where they are installed; elsewhere say who has them.

    The report says which hold and nothing of what was tried.
    """
    from udock_lab.grading.checking import elsewhere, given, scored_hidden
    from udock_lab.grading.sources import hidden_folder

    answer = given(slug, functions)
    return scored_hidden(answer) if hidden_folder(slug) is not None else elsewhere(answer)
