"""How the hidden requirements of M2.7 are judged."""

from __future__ import annotations

import errno
import random
from typing import Any

from udock_lab.grading import evidence as ev
from udock_lab.grading.bench import Bench
from udock_lab.grading.exercise import story
from udock_lab.grading.exercises.m2_7_mdock_run import diagnose
from udock_lab.grading.exercises.m2_7_mdock_run.played import Drawn, Wanted, is_info, play, words

from . import scenes

__all__ = ["STORIES"]

SHELL = ["/bin/sh", "-c"]


@story("refused")
def refused(bench: Bench) -> None:
    """Run where chroot answers EPERM, where it answers something else, and in images that cannot be entered."""
    drawn, code = Drawn(), random.randrange(3, 120)
    argv = [*SHELL, "echo $$ > ran; read only < here && exit $only"]
    played = play(bench, scenes.refused, drawn, token=drawn.variables, code=code, argv=argv)
    wanted: dict[str, tuple[str, Wanted]] = {
        "powerless": ("chroot answers EPERM, and the program runs in the folder", [code, None, None]),
        "gone": ("the root file system is not there", [125, None, errno.ENOENT]),
        "file": ("the root file system is a file", [125, None, errno.ENOTDIR]),
        "no-memory": ("chroot answers ENOMEM", [125, None, errno.ENOMEM]),
    }
    steps: dict[str, Any] = {step["name"]: step for step in played.value.get("row", [])}
    known: set[tuple[str, ...]] = set()
    for name, (what, ends) in wanted.items():
        step = steps.get(name, {"said": None, "copy": None, "came back": False, "table": ""})
        if name == "no-memory" and played.value.get("no filter"):
            continue
        copy, said = ev.heard(step["copy"]), ev.heard(step["said"])
        if copy is not None or not is_info(said, ends):
            seen = words(said, bool(step["came back"])) if copy is None else f"in the child {words(copy)}"
            bench.fail("refused", expected=f"{what}: {diagnose.info(ends)}", seen=seen)
        found = [tuple(record) for record in played.records(step["table"]) if tuple(record) not in known]
        known |= set(found)
        image = name if name in ("gone", "file") else drawn.image
        if [(one[2], one[3], one[6]) for one in found] != [(image, "exited", str(ends[0]))]:
            bench.fail("refused", expected=f"{what}: a record with {ends[0]}", seen=str(found))
    if not played.value.get("ran") or played.value.get("ran without memory"):
        ran = "it was not run" if not played.value.get("ran") else "it was run although chroot had failed with ENOMEM"
        bench.fail("refused", expected="the program runs in the folder where chroot answers EPERM", seen=ran)
    bench.hold("refused")


@story("others")
def others(bench: Bench) -> None:
    """Run a program beside one that is held, and once more when the held one's runner has been killed."""
    drawn, code = Drawn(), random.randrange(3, 120)
    played = play(bench, scenes.others, drawn, token=drawn.variables, code=code, argv=[*SHELL, f"exit {code}"])
    if not played.value.get("may chroot", True) and diagnose.refused_chroot(played):
        bench.skip("others", "this machine lets nobody chroot in the sandbox (EPERM), and here run starts nothing")
        return
    if played.value.get("orphan", {}).get("unrecorded"):
        bench.fail("others", expected="no program without a record", seen=diagnose.UNRECORDED)
    for step in [*played.value.get("beside", []), *played.value.get("later", [])]:
        if not is_info(ev.heard(step["said"]), [code, None, None]):
            seen = words(ev.heard(step["said"]), bool(step["came back"]))
            bench.fail("others", expected=f"{step['name']}: ExitInfo(code={code})", seen=seen)
    table = played.value.get("table", "")
    found = played.records(table)
    ends = [(fields[3], fields[6]) for fields in found]
    wanted = [("running", ""), ("exited", str(code)), ("exited", str(code))]
    if ends == wanted and len({fields[0] for fields in found}) == 3 and table.startswith(played.history):
        bench.hold("others")
    else:
        bench.fail("others", expected="one record running, two complete", seen=table or ev.raised(played.result))


STORIES = (refused, others)
