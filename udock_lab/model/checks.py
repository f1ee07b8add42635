"""What an exercise asks for, and what a check found."""

from __future__ import annotations

from udock_lab.model.value import Value, field

__all__ = ["CheckReport", "Judgement", "Requirement"]


class Requirement(Value):
    """One thing an exercise asks for. Its ``name`` is public, also of a hidden one; the values it uses are not.

    ``lesson`` says where to read: a lesson's slug and a section's heading. ``hints`` go from a nudge to a plan.
    """

    key: str
    name: str
    points: float
    lesson: str
    hints: tuple[str, ...] = ()
    hidden: bool = False


class Judgement(Value):
    """What a check found for one requirement.

    ``passed`` is None where it was not judged, and ``why`` says it in words: ``refused`` where this machine refuses
    what the judgement needs, else because an earlier requirement does not hold. ``by`` names the witness:
    ``kernel`` (system calls, wait statuses, /proc) or ``effects`` (files and values alone). ``tried``: what the failing
    try gave the answer, by the names that its reproduction uses. ``again``: what to type to see it happen.
    """

    requirement: Requirement
    passed: bool | None
    expected: str = ""
    seen: str = ""
    looks_like: str = ""
    why: str = ""
    refused: bool = False
    by: str = "kernel"
    tried: dict[str, object] = field(factory=dict)
    again: str = ""


class CheckReport(Value):
    """One check of one exercise. Requirements that this machine cannot judge count neither way.

    ``finished`` is False where the check broke off, or evidence was lost, for a reason that is not the answer's: it is
    to be judged again. ``unwritten``: functions that wait for the learner; what they would have to do is not judged.
    """

    slug: str
    title: str
    judgements: tuple[Judgement, ...]
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
    finished: bool = True
    unwritten: tuple[str, ...] = ()

    @property
    def waits(self) -> bool:
        """Whether nothing was judged, because nothing is written."""
        return bool(self.unwritten) and all(j.passed is None for j in self.judgements)

    @property
    def points(self) -> float:
        """Points earned."""
        return sum(j.requirement.points for j in self.judgements if j.passed)

    @property
    def out_of(self) -> float:
        """Points that there are, those of requirements that could not be judged here included."""
        return sum(j.requirement.points for j in self.judgements)

    @property
    def refused(self) -> float:
        """Points of requirements that this machine cannot judge."""
        return sum(j.requirement.points for j in self.judgements if j.refused)

    @property
    def first_failure(self) -> Judgement | None:
        """The first requirement that does not hold."""
        return next((j for j in self.judgements if j.passed is False), None)
