"""How the hidden requirements of M2.5 are judged."""

from __future__ import annotations

from udock_lab.grading import evidence as ev
from udock_lab.grading.bench import Bench
from udock_lab.grading.evidence import Said
from udock_lab.grading.exercise import story
from udock_lab.grading.exercises.m2_5_image_lookup.answers import answer_of, content, nothing, words_of
from udock_lab.grading.exercises.m2_5_image_lookup.judge import UNTRACED
from udock_lab.grading.tables import a_word

from . import scenes

__all__ = ["STORIES"]

SECONDS = 3.0  # of processor time for three searches, of which one goes through all; a loop over lines takes a tenth
TIMES = 20  # as long as a plain loop, on a machine where that takes more


@story("large")
def much_to_search(bench: Bench) -> None:
    """Judge 300,000 images, the wanted one last; in little memory, by the processor time that it takes."""
    result = bench.play(scenes.large, values={"name": a_word(10)}, **UNTRACED | {"timeout": 60.0})
    told = result.value if isinstance(result.value, dict) else {}
    said = [answer_of(one) for one in told.get("said", [])]
    numbers = [*told.get("crossing", []), scenes.COUNT]
    wanted = [scenes.path_of(number, str(told.get("secret"))) for number in numbers]
    if len(said) != 3 or [content(one) for one in said] != wanted:
        seen = _listed(said) or ev.raised(result) or result.verdict
        whole = "the whole table taken into memory." if any(one.is_a("MemoryError") for one in said) else ""
        bench.fail("large", expected=wanted[-1], seen=seen, looks_like=whole, by="effects")
    if not told["limited"]:
        bench.fail("large", expected="a limit on memory", seen="the limit that it was given is not there any more")
    seconds = told["seconds"]
    most = max(SECONDS, TIMES * told["loop"])
    if seconds > most:
        bench.fail("large", expected=f"at most {most:.1f} s", seen=f"{seconds:.1f} s of processor time", by="effects")
    bench.hold("large", seen=f"{seconds:.2f} s of processor time", by="effects")


@story("errors")
def what_cannot_be_read(bench: Bench) -> None:
    """Judge a folder, a closed file, a file in a closed folder."""
    result = bench.play(scenes.unreadable, values={"name": a_word()}, **UNTRACED)
    said = [answer_of(one) for one in result.value] if isinstance(result.value, list) else []
    if len(said) == 3 and all(one.how == "raised" and one.is_a("OSError") for one in said):
        bench.hold("errors", by="effects")
    else:
        seen = _listed(said) or ev.raised(result) or result.verdict
        none = "what cannot be read taken for what is not there." if any(map(nothing, said)) else ""
        expected = "OSError for a folder, a closed file, a file in a closed folder"
        bench.fail("errors", expected=expected, seen=seen, looks_like=none, by="effects")


def _listed(said: list[Said]) -> str:
    return "; ".join(dict.fromkeys(map(words_of, said)))


STORIES = (much_to_search, what_cannot_be_read)
