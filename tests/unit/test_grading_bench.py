"""What a judge takes down: what was not reached and what this machine refuses are two things."""

from __future__ import annotations

from udock_lab.grading.bench import Bench
from udock_lab.grading.exercise import Exercise
from udock_lab.grading.hidden import without_values
from udock_lab.grading.submission import Submission
from udock_lab.model import CheckReport, Requirement

REQUIREMENTS = tuple(Requirement(key=key, name=key, points=2, lesson="") for key in ("first", "second", "third"))


def report() -> CheckReport:
    """The first holds, the second is refused by the machine, the third was never reached."""
    exercise = Exercise(slug="", title="", functions=(), requirements=REQUIREMENTS, stories=())
    bench = Bench(Submission(source=""), exercise)
    bench.hold("first", seen="a process")
    bench.skip("second", "not judged here: the requirement above all others is root")
    return CheckReport(slug="", title="", judgements=bench.judgements())


def test_only_what_the_machine_refuses_counts_neither_way() -> None:
    assert [judgement.refused for judgement in report().judgements] == [False, True, False]
    assert (report().points, report().refused, report().out_of) == (2, 2, 6)


def test_hidden_report_still_says_what_the_machine_refuses() -> None:
    bare = without_values(report())
    assert (bare.points, bare.refused) == (2, 2)
    assert [judgement.seen for judgement in bare.judgements] == ["", "", ""]
    assert bare.judgements[1].why.startswith("not judged here")


def test_names_of_an_answer_and_of_a_scenario_are_not_in_each_others_way() -> None:
    answer = Submission(source="from os import *\nfrom time import time\nname = 1\ndef ask(): return name, time() > 0")
    scenario = "import time\nwith open('/dev/null'): __value__ = [*ask(), name, time.time() > 0]"
    result = answer.play(scenario, values={"name": 2}, trace=False)
    assert result.value == [1, True, 2, True]
