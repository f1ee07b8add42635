"""What a judge takes down: which requirement stopped which, what the machine refuses, what has to be judged again."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from udock_lab.errors import LauncherDied, SandboxInterrupted
from udock_lab.grading import judge
from udock_lab.grading.bench import TRIES, Bench, NotSeenError
from udock_lab.grading.exercise import Exercise, Story, story
from udock_lab.grading.hidden import without_values
from udock_lab.grading.submission import Submission
from udock_lab.model import CheckReport, Requirement

REQUIREMENTS = tuple(
    Requirement(key=key, name=f"the {key} one", points=2, lesson="") for key in ("first", "second", "third")
)
NOTHING = Submission(source="pass")


def exercise_of(*stories: Story) -> Exercise:
    return Exercise(slug="", title="", functions=(), requirements=REQUIREMENTS, stories=stories)


def report() -> CheckReport:
    """The first holds, the second is refused by the machine, the third was never reached."""

    @story("first", "second", "third")
    def told(bench: Bench) -> None:
        bench.hold("first", seen="a process")
        bench.skip("second", "not judged here: the requirement above all others is root")

    return judge(exercise_of(told), NOTHING)


def verdicts(found: CheckReport) -> list[bool | None]:
    return [judgement.passed for judgement in found.judgements]


def test_only_what_the_machine_refuses_counts_neither_way() -> None:
    assert [judgement.refused for judgement in report().judgements] == [False, True, False]
    assert (report().points, report().refused, report().out_of) == (2, 2, 6)


def test_hidden_report_still_says_what_the_machine_refuses() -> None:
    bare = without_values(report())
    assert (bare.points, bare.refused) == (2, 2)
    assert [judgement.seen for judgement in bare.judgements] == ["", "", ""]
    assert bare.judgements[1].why.startswith("not judged here")


@pytest.mark.parametrize("at_once", [1, 4])
def test_a_failed_requirement_stops_its_own_story_and_those_that_wait_for_it_by_name(at_once: int) -> None:
    @story("first")
    def fails(bench: Bench) -> None:
        bench.fail("first", expected="a", seen="b")

    @story("second", after=("first",))
    def needs_it(bench: Bench) -> None:
        bench.hold("second")

    @story("third")
    def does_not(bench: Bench) -> None:
        bench.hold("third")

    found = judge(exercise_of(fails, needs_it, does_not), NOTHING, at_once)
    assert verdicts(found) == [False, None, True]
    assert found.judgements[1].why == "can't be judged until this holds: the first one"
    assert found.finished


def test_what_a_story_did_not_come_to_waits_for_the_one_that_stopped_it() -> None:
    @story("first", "second", "third")
    def told(bench: Bench) -> None:
        bench.hold("first")
        bench.fail("second", expected="a", seen="b")

    found = judge(exercise_of(told), NOTHING)
    assert verdicts(found) == [True, False, None]
    assert found.judgements[2].why.endswith("the second one")


def test_what_fails_and_lets_the_story_go_on_costs_its_own_points_only() -> None:
    @story("first", "second", "third")
    def told(bench: Bench) -> None:
        bench.fail("first", expected="a", seen="b", go_on=True)
        bench.hold("second")
        bench.hold("third")

    assert judge(exercise_of(told), NOTHING).points == 4


def test_lost_evidence_is_asked_for_again_and_never_a_failure() -> None:
    told = 0

    def lose(times: int) -> Callable[[Bench], None]:
        def tell(bench: Bench) -> None:
            nonlocal told
            told += 1
            bench.hold("first")
            if told <= times:
                raise NotSeenError("a wait status is missing")
            bench.hold("second")
            bench.hold("third")

        return tell

    keys = ("first", "second", "third")
    found = judge(exercise_of(Story(lose(TRIES - 1), keys)), NOTHING)
    assert (verdicts(found), found.finished, told) == ([True, True, True], True, TRIES)
    told = 0
    found = judge(exercise_of(Story(lose(TRIES), keys)), NOTHING)
    assert (verdicts(found), found.finished, told) == ([None, None, None], False, TRIES)
    assert found.notes == ("To be judged again: a wait status is missing",)


def test_evidence_of_a_forged_shape_costs_its_own_story_only() -> None:
    @story("first")
    def forged(bench: Bench) -> None:
        raise KeyError("pid")

    @story("second", "third")
    def fine(bench: Bench) -> None:
        bench.hold("second")
        bench.hold("third")

    found = judge(exercise_of(forged, fine), NOTHING)
    assert verdicts(found) == [None, True, True]
    assert "of a shape that this check cannot read (KeyError: 'pid')" in found.notes[0]


def test_what_breaks_in_the_machine_is_to_be_judged_again() -> None:
    @story("first", "second", "third")
    def told(bench: Bench) -> None:
        bench.hold("first")
        raise LauncherDied("The sandbox's keeper is gone.")

    found = judge(exercise_of(told), NOTHING)
    assert (verdicts(found), found.finished) == ([True, None, None], False)


def test_stories_that_do_not_wait_for_one_another_are_played_side_by_side() -> None:
    both = threading.Barrier(2, timeout=20)

    def meets(key: str) -> Story:
        def tell(bench: Bench) -> None:
            both.wait()
            bench.hold(key)

        return Story(tell, (key,))

    @story("third", after=("first", "second"))
    def last(bench: Bench) -> None:
        assert bench.holds("first")
        assert bench.holds("second")
        bench.hold("third")

    assert judge(exercise_of(meets("first"), meets("second"), last), NOTHING, at_once=2).points == 6


def test_a_story_that_is_interrupted_ends_what_the_others_play() -> None:
    playing = threading.Event()

    @story("first")
    def waits(bench: Bench) -> None:
        playing.set()
        bench.play(sleeps_long, timeout=60)

    @story("second", "third")
    def interrupts(bench: Bench) -> None:
        playing.wait(20)
        raise SandboxInterrupted

    with pytest.raises(KeyboardInterrupt):
        judge(exercise_of(interrupts, waits), Submission(source="pass"), at_once=2)


def prints_much() -> None:
    """A scene, which runs in the sandbox."""
    print("x" * (1 << 19))


def sleeps_long() -> None:
    """A scene, which runs in the sandbox."""
    import time

    time.sleep(60)


def asks(ask: Callable[[], tuple[int, bool]], *, name: int) -> list[object]:
    """A scene, which runs in the sandbox: its names are its own."""
    import time

    with open("/dev/null"):
        return [*ask(), name, time.time() > 0]


def test_names_of_an_answer_and_of_a_scene_are_not_in_each_others_way() -> None:
    answer = Submission(source="from os import *\nfrom time import time\nname = 1\ndef ask(): return name, time() > 0")
    result = answer.play(asks, ["ask"], values={"name": 2}, trace=False)
    assert result.value == [1, True, 2, True]


def test_an_error_in_a_scene_shows_the_line_of_the_answer_and_of_the_scene() -> None:
    answer = Submission(source="def ask():\n    return 1 / 0  # here\n")
    result = answer.play(asks, ["ask"], values={"name": 2}, trace=False)
    assert "return 1 / 0  # here" in result.stderr
    assert "return [*ask(), name, time.time() > 0]" in result.stderr
    assert "test_grading_bench.py" in result.stderr


def test_what_was_seen_has_an_end_and_bounds_that_were_met_are_told() -> None:
    @story("first")
    def prints(bench: Bench) -> None:
        bench.play(prints_much, trace=False, watch=False)
        bench.fail("first", expected="", seen="OSError: [Errno 27] File too large " + "y" * 1_000_000)

    found = judge(exercise_of(prints), NOTHING)
    assert len(found.judgements[0].seen) < 5_000
    assert found.judgements[0].seen.endswith(" and 996,035 more characters")
    assert any("More than 256 KiB were printed" in note for note in found.notes)
    assert "In the sandbox: a file may have 256 MiB (RLIMIT_FSIZE)." in found.notes


@pytest.mark.parametrize("at_once", [1, 4])
def test_an_answer_that_never_comes_back_costs_the_time_of_two_stories_and_the_others_wait(at_once: int) -> None:
    def hangs(key: str) -> Story:
        def tell(bench: Bench) -> None:
            assert bench.play(sleeps_long, timeout=0.3, trace=False, watch=False).ended_by == "timeout"
            bench.fail(key, expected="it comes back", seen="nothing")

        return Story(tell, (key,))

    @story("third")
    def fine(bench: Bench) -> None:
        bench.hold("third")

    found = judge(exercise_of(hangs("first"), hangs("second"), fine), NOTHING, at_once)
    assert verdicts(found) == [False, False, None]
    assert found.judgements[2].why == "can't be judged until this holds: the first one"
    found = judge(exercise_of(hangs("first"), fine, hangs("second")), NOTHING, at_once)
    assert verdicts(found) == [False, False, True]
