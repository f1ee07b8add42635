"""What an exercise is: requirements with points, and a judge that asks the kernel.

A judge is a story: it plays scenarios and says of each requirement whether it holds. It stops at
the first one that does not, because what comes after would only confuse; the rest is "not judged".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from udock_lab.errors import MdockError
from udock_lab.grading.submission import Submission
from udock_lab.model import Judgement, Requirement, SandboxResult

__all__ = ["Bench", "Exercise", "Stop"]


class Stop(Exception):
    """The first requirement that does not hold has been found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exercise:
    """One exercise. ``judge`` gets a Bench and calls its methods, one requirement after another."""

    slug: str
    title: str
    functions: tuple[str, ...]
    requirements: tuple[Requirement, ...]
    judge: Callable[[Bench], None]


class Bench:
    """Where a judge works: plays scenarios, takes judgements down, knows what could be seen."""

    def __init__(self, submission: Submission, requirements: Sequence[Requirement]) -> None:
        self.submission = submission
        self.requirements = {requirement.key: requirement for requirement in requirements}
        self.judged: dict[str, Judgement] = {}
        self.notes: list[str] = []
        self.protection: set[str] = set()

    def play(self, scenario: str, **options: object) -> SandboxResult:
        """Play one scenario in a fresh sandbox; ``options`` as for :meth:`Submission.play`.

        With ``trace=False, watch=False`` nobody watches, where effects say all: a fork costs a tenth then.
        """
        result = self.submission.play(scenario, **options)  # type: ignore[arg-type]
        if result.untraced and options.get("trace", True):
            self._note(f"Judged by effects alone: {result.untraced}")
        if result.missing_isolation:
            self._note(f"This machine refuses some isolation for graded code: {', '.join(result.missing_isolation)}.")
        if _out_of_the_ordinary(result):
            self._note(f"In the sandbox: {result.verdict}")
        return result

    def _note(self, sentence: str) -> None:
        if sentence not in self.notes:
            self.notes.append(sentence)

    def hold(self, key: str, *, expected: str = "", seen: str = "", by: str = "kernel") -> None:
        """Judge that the requirement holds; ``seen`` is the kernel's evidence."""
        self._take(Judgement(requirement=self.requirements[key], passed=True, expected=expected, seen=seen, by=by))

    def fail(
        self, key: str, *, expected: str, seen: str, looks_like: str = "", by: str = "kernel", go_on: bool = False
    ) -> None:
        """Judge that the requirement does not hold.

        Judging ends here, unless what comes can be judged all the same (``go_on``).
        """
        self._take(
            Judgement(
                requirement=self.requirements[key],
                passed=False,
                expected=expected,
                seen=seen,
                looks_like=looks_like,
                by=by,
            )
        )
        if not go_on:
            raise Stop

    def skip(self, key: str, why: str) -> None:
        """Leave a requirement unjudged: this machine refuses what the judgement needs; it counts neither way."""
        self._take(Judgement(requirement=self.requirements[key], passed=None, refused=True, why=why))

    def _take(self, judgement: Judgement) -> None:
        key = judgement.requirement.key
        if key in self.judged:
            raise MdockError(f"requirement {key} was judged twice")
        self.judged[key] = judgement

    def judgements(self) -> tuple[Judgement, ...]:
        """Return all of them in the order of the requirements; what was not reached is not judged."""
        waiting = "not judged until the requirement above holds"
        return tuple(
            self.judged.get(key, Judgement(requirement=requirement, passed=None, why=waiting))
            for key, requirement in self.requirements.items()
        )


def _out_of_the_ordinary(result: SandboxResult) -> bool:
    """Return whether there was something that a reader of the report should know, whatever else is judged."""
    left = any(process.leftover for process in result.processes)
    killed = result.exit_status is not None and result.exit_status.signaled
    return result.ended_by != "end" or left or killed or "kill(-1" in result.verdict
