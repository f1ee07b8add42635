"""How it is seen whether ``ends_well`` keeps its promises."""

from udock_lab.grading import evidence as ev
from udock_lab.grading.bench import Bench, NotSeenError
from udock_lab.grading.exercise import story

from . import scenes

CODES = (0, 1, 3, 255)
SECONDS = 5.0


def programs(codes: tuple[int, ...]) -> list[list[str]]:
    """Return programs that end with these codes."""
    return [["/bin/sh", "-c", f"exit {code}"] for code in codes]


@story("runs")
def runs(bench: Bench) -> None:
    """Judge one program: a fork, an exec in the child, and a wait for it."""
    result = bench.play(scenes.each, values={"programs": programs((0,))}, timeout=SECONDS)
    expected = "fork, an exec in the child, and a wait for it"
    if result.untraced:
        bench.skip("runs", f"this machine shows no system calls: {result.untraced}")
        return
    if library := ev.library_calls(result):
        bench.fail("runs", expected=expected, seen=f"{library[0]} did it for you")
    started = [call for call in ev.execs(result) if not call.errno and call.pid != result.parent.pid]
    if not started:
        seen = ev.raised(result) or "no program was started in a child"
        bench.fail("runs", expected=expected, seen=seen)
    if not any(call.value == started[0].pid for call in ev.waits(result)):
        bench.fail("runs", expected=expected, seen="nobody waited for the child", looks_like="a guess at its end.")
    bench.hold("runs", seen=f"{started[0].name} in process {started[0].pid}, which was waited for")


@story("code", after=("runs",))
def code(bench: Bench) -> None:
    """Judge a set of codes that tells each usual mistake from the truth."""
    result = bench.play(scenes.each, values={"programs": programs(CODES)}, timeout=SECONDS, trace=False, watch=False)
    said = ev.seen_value(result)
    if not isinstance(said, list):
        bench.fail("code", expected="True or False", seen=ev.raised(result) or result.verdict)
        return
    if len(said) != len(CODES):
        raise NotSeenError("not every program was told of")
    for exit_code, answer in zip(CODES, said, strict=True):
        if answer != repr(exit_code == 0):
            looks_like = "0 taken for false, as numbers are in Python. For programs 0 is the good end."
            bench.fail(
                "code",
                expected=f"{exit_code == 0} for exit code {exit_code}",
                seen=answer,
                looks_like=looks_like if answer == repr(exit_code != 0) else "",
                by="effects",
            )
    bench.hold("code", seen="four codes", by="effects")


STORIES = (runs, code)
