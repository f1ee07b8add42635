"""M2.5: how it is seen whether ``find_image_by_name(db, name)`` keeps its promises."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

from udock_lab.grading import evidence as ev
from udock_lab.grading.bench import Bench, NotSeenError
from udock_lab.grading.evidence import Said
from udock_lab.grading.exercise import story
from udock_lab.grading.exercises.m2_5_image_lookup import scenes
from udock_lab.grading.exercises.m2_5_image_lookup.answers import NAME, Answers, answer_of, content, nothing, words_of
from udock_lab.grading.exercises.m2_5_image_lookup.diagnose import belief, no_function, stale
from udock_lab.grading.exercises.m2_5_image_lookup.questions import Question, a_path, all_questions, line, probes
from udock_lab.grading.exercises.m2_5_image_lookup.traces import NOBODY_SEES, opened, trouble_of
from udock_lab.grading.inside import shown
from udock_lab.grading.tables import a_word
from udock_lab.model import SandboxResult

__all__ = ["STORIES", "UNTRACED"]

UNTRACED = {"apart": True, "trace": False, "watch": False, "timeout": 25.0}  # here the evidence is what comes back
GROUPS = ("finds", "none", "exact", "path", "damaged", "first")
_MOST_LATE = 6  # searches that do not end
_CHANGES = ("as it was made", "replaced", "rewritten in place", "removed", "made again")


@story(*GROUPS, "anew")
def what_it_finds(bench: Bench) -> None:
    """Ask about tables of all kinds, and about one that changes."""
    asked: dict[str, list[Question]] = {}
    for question in [*all_questions(), *probes()]:
        asked.setdefault(question.key, []).append(question)
    words = _Words(asked)
    words.ask(bench)
    answers = words.answers()
    for key in GROUPS:
        _judge(bench, key, answers)
    _anew(bench, words.paths, answers)


class _Words:
    """What was said to all questions. In the sandbox nobody knows which requirement a question belongs to.

    After those by which ``finds`` is judged they come in an order that is drawn anew. Of a requirement in which a
    search does not end, or says more than a path can hold, nothing more is asked; but there may still be something to
    be found where a search for nothing did not end.
    """

    def __init__(self, asked: dict[str, list[Question]]) -> None:
        self.asked = asked
        self.said: dict[tuple[str, int], Said] = {}
        self.anew: list[Said] = []
        self.paths: list[str] = []
        self.printed, self.opened = "", False

    def ask(self, bench: Bench) -> None:
        """Play scenes until all has been asked, as far as it is worth it."""
        every = [(key, at) for key, questions in self.asked.items() for at in range(len(questions))]
        random.shuffle(every)
        left = sorted(every, key=lambda one: one[0] != "finds")
        late = 0
        while not self.paths and late < _MOST_LATE:
            values = {"questions": [self._packed(*one) for one in left], "changing": a_word(), "short": late > 0}
            result = bench.play(scenes.answers, values=values, **UNTRACED)
            told = _told(bench, result)
            asked = left[: len(told["told"])]
            self.said |= {one: answer_of(answer) for one, answer in zip(asked, told["told"], strict=True)}
            self.printed += result.stdout
            self.opened = self.opened or any(isinstance(one, dict) and one.get("opened") for one in told["told"])
            self.paths, self.anew = told.get("paths", []), [answer_of(one) for one in told.get("anew", [])]
            if asked and not self.paths:
                late += self.said[asked[-1]].how == "late"
                left = [one for one in left[len(asked) :] if self._is_worth_it(one, asked[-1])]

    def _packed(self, key: str, at: int) -> tuple[str, bytes | None, str | bytes]:
        question = self.asked[key][at]
        table = None if question.table is None else b"".join(question.table)
        name = question.name.encode() if question.what == "bytes" else question.name
        return question.place or f"{a_word(9)}.db", table, name

    def _is_worth_it(self, one: tuple[str, int], broken_off: tuple[str, int]) -> bool:
        (key, at), (its_key, its_at) = one, broken_off
        return key != its_key or (self.asked[key][at].path is not None and self.asked[key][its_at].path is None)

    def answers(self) -> Answers:
        """Return questions that were asked, and what was said, in the order of the requirements."""
        said = {key: [self.said.get((key, at)) for at in range(len(every))] for key, every in self.asked.items()}
        return Answers(self.asked, said, self.anew, self.printed, opened=self.opened)


def _told(bench: Bench, result: SandboxResult) -> dict[str, Any]:
    """Return what a scene told; where it did not come to that, there is no function to ask."""
    if isinstance(result.value, dict) and isinstance(result.value.get("told"), list):
        return result.value
    if result.ended_by == "lost":
        raise NotSeenError(f"what {NAME} answered did not arrive")
    error = ev.raised(result)
    looks_like = no_function(error)
    bench.fail(
        "finds", expected=f"a function {NAME}", seen=error or result.verdict, looks_like=looks_like, by="effects"
    )
    return {}


def _judge(bench: Bench, key: str, answers: Answers) -> None:
    """Judge one requirement by its own questions; the first wrong answer is told."""
    if key != "finds" and answers.blind():
        bench.wait(key, "finds")
        return
    pairs = answers.of(key)
    wrong = next(((question, said) for question, said in pairs if not answers.holds(question, said)), None)
    if wrong is not None:
        question, said = wrong
        if key not in ("finds", "none") and question.path is not None and answers.is_known(said):
            bench.wait(key, "finds")
            return
        expected = f"{shown(question.path)} for {question.what}"
        looks_like = belief(question, said, answers)
        seen, tried = words_of(said), question.tried
        bench.fail(key, expected=expected, seen=seen, looks_like=looks_like, by="effects", go_on=True, tried=tried)
    elif len(pairs) < len(answers.asked[key]):  # a search that has no end where nothing is to be found
        bench.wait(key, "none" if key != "none" else "finds")
    else:
        bench.hold(key, seen=f"{len(pairs)} of {len(pairs)} searches right", by="effects")


def _anew(bench: Bench, paths: Sequence[str], answers: Answers) -> None:
    """Judge a database that was replaced, rewritten, removed, made again between two calls."""
    wanted = [*paths, None, paths[0]]
    said = answers.anew
    right = [
        content(one) == path if path is not None else nothing(one) or answers.stands_for_none(one)
        for one, path in zip(said, wanted, strict=False)
    ]
    if right == [True] * len(wanted):
        bench.hold("anew", seen="replaced, rewritten, removed, made again: each call said so", by="effects")
        return
    if not right or not right[0]:
        bench.wait("anew", "finds")
        return
    if False not in right:  # the others were not asked: it waits for ever where there is no database
        bench.wait("anew", "none")
        return
    at = right.index(False)
    bench.fail(
        "anew",
        expected=f"{wanted[at]!r} after the database was {_CHANGES[at]}",
        seen=words_of(said[at]),
        looks_like=stale(content(said[at]), wanted[:at]),
        by="effects",
        go_on=True,
    )


@story("reads")
def it_only_reads(bench: Bench) -> None:
    """Look at what a search does to the machine: by the kernel's word, or by what is left and who refused."""
    name = a_word()
    table = b"".join([line(a_word(), a_path()), line(name, scenes.PATH.decode()), line(a_word(), a_path())])
    values: Mapping[str, object] = {"table": table, "name": name}
    result = bench.play(scenes.only_reads, values=values, apart=True)
    told = result.value if isinstance(result.value, dict) else {}
    if not told:
        _no_word(bench, result)
        return
    answers = [answer_of(one) for one in told["told"]]
    if answers[-1].how == "ended":
        bench.wait("reads", "none" if len(answers) > 1 else "finds")
        return
    by, path = "effects" if result.untraced else "kernel", str(told["path"])
    stepped = bench.play(scenes.stepped, values=values, **UNTRACED).value if result.untraced else None
    stops = stepped["stops"] if isinstance(stepped, dict) else None
    trouble = trouble_of(result, told, answers, path, stops)
    if trouble:
        expected = "the database is opened to be read, and closed"
        bench.fail("reads", expected=expected, seen=trouble[0], looks_like=trouble[1], by=by)
    if content(answers[0]) != path or (isinstance(stepped, dict) and not _searched(stepped)):
        bench.wait("reads", "finds")
    elif result.untraced and not isinstance(stops, list):
        bench.skip("reads", NOBODY_SEES)
    else:
        bench.hold("reads", seen=opened(result) or "the same database, no other file, no other process", by=by)


def _searched(stepped: dict[str, Any]) -> bool:
    """Return whether it has found the image while the listener was there, too."""
    return bool(stepped["told"]) and content(answer_of(stepped["told"][0])) == stepped["path"]


def _no_word(bench: Bench, result: SandboxResult) -> None:
    if result.ended_by == "lost":
        raise NotSeenError(f"what {NAME} answered did not arrive")
    bench.wait("reads", "finds")


STORIES = (what_it_finds, it_only_reads)
