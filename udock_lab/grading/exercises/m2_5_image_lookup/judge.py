"""M2.5: how it is seen whether ``find_image_by_name(db, name)`` keeps its promises."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from udock_lab.grading import evidence as ev
from udock_lab.grading.bench import Bench, NotSeenError
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

UNTRACED = {"trace": False, "watch": False, "timeout": 25.0}  # here the evidence is what comes back
GROUPS = ("finds", "none", "exact", "path", "damaged", "first")
_CHANGES = ("as it was made", "replaced", "rewritten in place", "removed", "made again")


@story(*GROUPS, "anew")
def what_it_finds(bench: Bench) -> None:
    """Ask about tables of all kinds, and about one that changes."""
    asked: dict[str, list[Question]] = {}
    for question in [*all_questions(), *probes()]:
        asked.setdefault(question.key, []).append(question)
    groups = {key: [_packed(at, one) for at, one in enumerate(questions)] for key, questions in asked.items()}
    name, paths = a_word(), [a_path() for _ in range(3)]
    changing = (name, [line(name, path) for path in paths])
    result = bench.play(scenes.answers, values={"groups": groups, "changing": changing}, **UNTRACED)
    told = _told(bench, result)
    said = {key: [answer_of(one) for one in told.get(key, [])] for key in [*asked, "anew"]}
    tables = [one for questions in told.values() for one in questions if isinstance(one, dict)]
    answers = Answers(asked, said, result.stdout, any(one.get("opened") for one in tables))
    for key in GROUPS:
        _judge(bench, key, answers)
    _anew(bench, paths, answers)


def _packed(number: int, question: Question) -> tuple[str, bytes | None, str | bytes]:
    table = None if question.table is None else b"".join(question.table)
    return (
        question.place or f"{question.key}-{number}",
        table,
        question.name.encode() if question.what == "bytes" else question.name,
    )


def _told(bench: Bench, result: SandboxResult) -> dict[str, list[object]]:
    """Return what a scene told; where it did not come to that, there is no function to ask."""
    if isinstance(result.value, dict):
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
        bench.fail(key, expected=expected, seen=words_of(said), looks_like=looks_like, by="effects", go_on=True)
    elif len(pairs) < len(answers.asked[key]):  # a search that has no end where nothing is to be found
        bench.wait(key, "none" if key != "none" else "finds")
    else:
        bench.hold(key, seen=f"{len(pairs)} of {len(pairs)} searches right", by="effects")


def _anew(bench: Bench, paths: Sequence[str], answers: Answers) -> None:
    """Judge a database that was replaced, rewritten, removed, made again between two calls."""
    wanted = [*paths, None, paths[0]]
    said = answers.said["anew"]
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
    name, path = a_word(), a_path()
    table = b"".join([line(a_word(), a_path()), line(name, path), line(a_word(), a_path())])
    values: Mapping[str, object] = {"table": table, "name": name}
    result = bench.play(scenes.only_reads, values=values)
    told = result.value if isinstance(result.value, dict) else {}
    if not told:
        _no_word(bench, result)
        return
    by = "effects" if result.untraced else "kernel"
    stops = bench.play(scenes.stepped, values=values, **UNTRACED).value if result.untraced else None
    answers = [answer_of(one) for one in (told.get("first"), *told.get("told", []))]
    trouble = trouble_of(result, told, answers, path, stops)
    if trouble:
        expected = "the database is opened to be read, and closed"
        bench.fail("reads", expected=expected, seen=trouble[0], looks_like=trouble[1], by=by)
    if content(answers[0]) != path:
        bench.wait("reads", "finds")
    elif result.untraced and not isinstance(stops, list):
        bench.skip("reads", NOBODY_SEES)
    else:
        bench.hold("reads", seen=opened(result) or "the same database, no other file, no other process", by=by)


def _no_word(bench: Bench, result: SandboxResult) -> None:
    if result.ended_by == "lost":
        raise NotSeenError(f"what {NAME} answered did not arrive")
    # There is no function, or a search did not come back: the likeliest is one that finds nothing.
    bench.wait("reads", "finds" if ev.raised(result) else "none")


STORIES = (what_it_finds, it_only_reads)
