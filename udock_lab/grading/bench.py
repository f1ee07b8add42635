"""Where a judge works: stories are told, scenes played, judgements taken down."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from typing import Any

from udock_lab.errors import MdockError
from udock_lab.grading.exercise import Exercise, Story
from udock_lab.grading.submission import Submission
from udock_lab.grading.unwritten import LEFT_OVER
from udock_lab.model import Judgement, SandboxResult
from udock_lab.model.value import replace
from udock_lab.sandbox.bounds import FILE_SIZE, SHOWN

__all__ = ["Bench", "NotSeenError", "side_by_side"]

TRIES = 3  # of a story whose evidence was lost
LONGEST = 4_000  # characters of what was seen
_NO_ROOM = {  # as Python words it (errno(3))
    "[Errno 27] File too large": f"a file may have {FILE_SIZE >> 20} MiB (RLIMIT_FSIZE).",
    "[Errno 28] No space left": "all files together may have 64 MiB, and there may be 20,000 of them.",
}
HANGS = 2  # stories in which an answer did not come back: it does not in any other, and each would cost its time
PAUSE = 0.25  # seconds between two looks at how far the stories are


class Stop(Exception):
    """A story has found what it was after: a requirement that does not hold."""


class NotSeenError(Exception):
    """Evidence that must be there is not: nothing can be said of the answer, and it is to be judged again."""


def side_by_side() -> int:
    """Return how many stories are played at once where somebody waits for one check: two for each processor."""
    return 2 * len(os.sched_getaffinity(0))


class Bench:
    """What a story is told to: it plays scenes, takes judgements down, knows what could be seen."""

    def __init__(self, submission: Submission, exercise: Exercise) -> None:
        self.submission = submission
        self.exercise = exercise
        self.requirements = {requirement.key: requirement for requirement in exercise.requirements}
        self.judged: dict[str, Judgement] = {}
        self.notes: list[str] = []
        self.again: list[str] = []
        self.telling: set[str] = set()
        self._lock = threading.Lock()
        self._shared: dict[str, object] = {}
        self._sharing = threading.Lock()
        self._here = threading.local()  # .story: the one that this thread tells
        self._hung: set[Story] = set()

    # --- stories

    def tell(
        self, stories: Sequence[Story], at_once: int = 1, meanwhile: Callable[[Bench], None] = lambda bench: None
    ) -> None:
        """Tell all stories, so many ``at_once``; each when those are told whose requirements it waits for.

        ``meanwhile`` is called a few times a second, by the caller's own thread. What comes behind two stories in which
        the answer did not come back waits for the first of these, whether it was told or not.
        """
        told = {id(one): threading.Event() for one in stories}

        def one(this: Story) -> None:
            try:
                if not self.submission.stopping.is_set():
                    for before in stories:
                        if set(before.keys) & set(this.after):
                            told[id(before)].wait()
                    self.telling |= set(this.keys)
                    self._tell(this)
            finally:
                self.telling -= set(this.keys)
                told[id(this)].set()

        if at_once < 2:
            for this in stories:
                if not self._waits_for_a_hang(stories, this):
                    one(this)
            return
        with ThreadPoolExecutor(min(at_once, len(stories))) as pool:
            left = {pool.submit(one, this) for this in stories}  # in order: who is waited for has begun before
            try:
                while left:
                    done, left = wait(left, timeout=PAUSE, return_when=FIRST_COMPLETED)
                    for future in done:
                        future.result()
                    meanwhile(self)
            except BaseException:
                self.submission.stopping.set()
                raise
        for this in stories:
            self._waits_for_a_hang(stories, this)

    def _waits_for_a_hang(self, stories: Sequence[Story], this: Story) -> bool:
        """Return whether a story stands behind enough hangs; what it has judged is forgotten then, and waits."""
        hung = [
            one for one in stories[: stories.index(this)] if one in self._hung and not all(map(self.holds, one.keys))
        ]
        if len(hung) < HANGS:
            return False
        keys = [key for one in hung for key in one.keys]
        failed = [key for key in keys if key in self.judged and self.judged[key].passed is False]
        for key in this.keys:
            self.judged.pop(key, None)
            self.wait(key, (failed or keys)[0])
        return True

    def _tell(self, this: Story) -> None:
        self._here.story = this
        for key in this.after:
            if (judged := self.judged.get(key)) is None or not judged.passed:
                for waiting in this.keys:
                    self.wait(waiting, key)
                return
        for left in reversed(range(TRIES)):
            before = dict(self.judged)
            try:
                this.tell(self)
            except Stop:
                pass
            except NotSeenError as lost:
                for key in this.keys:
                    if key not in before:
                        self.judged.pop(key, None)
                if left:
                    continue
                self._not_seen(this, str(lost))
            except MdockError:
                raise
            except Exception as error:  # evidence of a shape that only a forger or a bug of ours makes
                self.note(
                    "What the answer handed back is of a shape that this check cannot read "
                    f"({type(error).__name__}: {str(error)[:200]})."
                )
            break
        self._wait_for_the_failed(this)

    def _not_seen(self, this: Story, lost: str) -> None:
        why = f"could not be judged this time: {lost}"
        for key in this.keys:
            self._take(Judgement(requirement=self.requirements[key], passed=None, why=why))
        self.again.append(lost)

    def _wait_for_the_failed(self, this: Story) -> None:
        """Say of what a story did not come to which requirement stopped it."""
        failed = [key for key in this.keys if key in self.judged and not self.judged[key].passed]
        for key in this.keys:
            if key not in self.judged and failed:
                self.wait(key, failed[-1])

    # --- scenes

    def play(
        self,
        scene: Callable[..., object],
        values: Mapping[str, object] | None = None,
        **options: Any,
    ) -> SandboxResult:
        """Play one scene in a fresh sandbox; ``options`` as for :meth:`Submission.play`.

        With ``trace=False, watch=False`` nobody watches, where effects say all: a fork costs a tenth then.
        """
        result = self.submission.play(scene, self.exercise.functions, values, **options)
        if result.ended_by == "timeout":
            self._hung.add(self._here.story)
        if result.untraced and options.get("trace", True):
            self.note(f"Judged by effects alone: {result.untraced}")
        if result.missing_isolation:
            self.note(f"This machine refuses some isolation for graded code: {', '.join(result.missing_isolation)}.")
        if _out_of_the_ordinary(result):
            self.note(f"In the sandbox: {result.verdict}")
        if _is_all_that_is_kept(result):
            self.note(f"More than {SHOWN >> 10} KiB were printed in one scene: the rest was not looked at.")
        return result

    def shared(self, name: str, make: Callable[[], Any]) -> Any:
        """Return what ``make`` gives: made once, by the first story that asks, for all of them."""
        with self._sharing:
            if name not in self._shared:
                self._shared[name] = make()
            return self._shared[name]

    def note(self, sentence: str) -> None:
        """Say something about the whole check, once."""
        with self._lock:
            if sentence not in self.notes:
                self.notes.append(sentence)

    # --- judgements

    def names(self) -> dict[str, str]:
        """Return the requirements, key to name."""
        return {key: requirement.name for key, requirement in self.requirements.items()}

    def holds(self, key: str) -> bool:
        """Return whether this requirement has been judged to hold."""
        return key in self.judged and self.judged[key].passed is True

    def hold(self, key: str, *, expected: str = "", seen: str = "", by: str = "kernel") -> None:
        """Judge that the requirement holds; ``seen`` is the kernel's evidence."""
        self._take(Judgement(requirement=self.requirements[key], passed=True, expected=expected, seen=seen, by=by))

    def fail(
        self,
        key: str,
        *,
        expected: str,
        seen: str,
        looks_like: str = "",
        by: str = "kernel",
        go_on: bool = False,
        tried: Mapping[str, object] | None = None,
    ) -> None:
        """Judge that the requirement does not hold.

        The story ends here, and what it has not judged waits for this one; unless what comes can be judged all the
        same (``go_on``). ``tried``: what this try gave the answer, for its reproduction (reproduction.py).
        """
        for error, why in _NO_ROOM.items():
            if error in seen:
                self.note(f"In the sandbox: {why}")
        if "NotImplementedError" in seen:
            looks_like = LEFT_OVER
        self._take(
            Judgement(
                requirement=self.requirements[key],
                passed=False,
                expected=expected,
                seen=seen,
                looks_like=looks_like,
                by=by,
                tried=dict(tried or {}),
            )
        )
        if not go_on:
            raise Stop

    def wait(self, key: str, for_: str) -> None:
        """Leave a requirement unjudged: without another one there is nothing to see of it."""
        name = re.split("[:;]", self.requirements[for_].name)[0]  # enough to find it in the list
        why = f"can't be judged until this holds: {name}"
        self._take(Judgement(requirement=self.requirements[key], passed=None, why=why))

    def leave_to_the_learner(self, unwritten: Mapping[str, str], *, everything: bool) -> None:
        """Leave unjudged what waits for functions (name to place) that are not written: all, or what failed there.

        What was seen of a failure names the error that such a function raises.
        """
        where = [f"{name} is not written yet{f' ({place})' if place else ''}" for name, place in unwritten.items()]
        why = f"waits for you: {' and '.join(where)}"
        for key, requirement in self.requirements.items():
            judged = self.judged.get(key)
            if everything or judged is None or (judged.passed is False and "NotImplementedError" in judged.seen):
                self.judged[key] = Judgement(requirement=requirement, passed=None, why=why)

    def skip(self, key: str, why: str) -> None:
        """Leave a requirement unjudged: this machine refuses what the judgement needs; it counts neither way."""
        self._take(Judgement(requirement=self.requirements[key], passed=None, refused=True, why=why))

    def _take(self, judgement: Judgement) -> None:
        key = judgement.requirement.key
        judgement = replace(judgement, seen=_bounded(judgement.seen), looks_like=_bounded(judgement.looks_like))
        with self._lock:
            if key in self.judged:
                raise MdockError(f"requirement {key} was judged twice")
            self.judged[key] = judgement

    def judgements(self) -> tuple[Judgement, ...]:
        """Return all of them in the order of the requirements; what was not reached is not judged."""
        why = "not judged: the check broke off before it"
        return tuple(
            self.judged.get(key, Judgement(requirement=requirement, passed=None, why=why))
            for key, requirement in self.requirements.items()
        )


def _bounded(words: str) -> str:
    """Return what was seen, as long as a page has room for it."""
    left = len(words) - LONGEST
    return f"{words[:LONGEST]} ... and {left:,} more characters" if left > 0 else words


def _is_all_that_is_kept(result: SandboxResult) -> bool:
    size = sum(len(chunk.text) for chunk in result.output)
    return 4 * size >= SHOWN and sum(len(chunk.text.encode()) for chunk in result.output) >= SHOWN


def _out_of_the_ordinary(result: SandboxResult) -> bool:
    """Return whether there was something that a reader of the report should know, whatever else is judged."""
    left = any(process.leftover for process in result.processes)
    killed = result.exit_status is not None and result.exit_status.signaled
    return result.ended_by != "end" or left or killed or "kill(-1" in result.verdict
