"""What others see while a table is changed (M2.4, the requirements ``whole`` and ``beside``)."""

from __future__ import annotations

from typing import Any

from udock_lab.grading import evidence as ev
from udock_lab.grading.bench import Bench
from udock_lab.grading.exercises.m2_4_metadata import scenes
from udock_lab.grading.exercises.m2_4_metadata.tables import Tables, tables
from udock_lab.sandbox.removal import SHARED

__all__ = ["UNSTEPPED", "whole_and_beside"]

UNSTEPPED = (
    "this machine refuses to stop a program at its system calls (seccomp_unotify(2)); Python's own events and a kill "
    "in the middle of a write showed nothing wrong"
)
_WHOLE = "the old table or the new one, at every moment"
_BESIDE = "a temporary file in the table's folder, gone at the end"
_ANYWHERE = "a temporary file that may lie anywhere. From another file system rename answers EXDEV."
_RUNS = {"saving": "save", "joining": "save behind a torn line", "updating": "update"}
_LOOKS = {
    "missing": "the old table was removed before the new one had its name. rename replaces it in one step.",
    "empty": 'truncate, then write: open(db, "w") empties the table, and it stays empty until the first write.',
    "torn": "write taken for one step. Between two of them, and after a kill, half the work is there.",
    "in place": "written over in place, step by step: old and new are mixed for whoever reads, and stay so after a "
    "kill. kill -9 waits for no step, and nothing holds it back.",
    "undone": "a file got the table's name before its content had left the program: write and close it first.",
}
_BARE = (
    "a bare name has no folder in it, and tempfile takes None, where the folder should stand, for /tmp (or $TMPDIR)."
)


def whole_and_beside(bench: Bench) -> None:
    """Play the scene in which others look on, and judge what they saw."""
    made = tables()
    values = {name: getattr(made, name) for name in ("secret", "torn", "save", "update")}
    result = bench.play(
        scenes.changing,
        {"zone": made.zone, "table": made.old, "seconds": scenes.SECONDS, **values},
        apart=True,
        trace=False,
        watch=False,
    )
    seen = ev.seen_value(result)
    if not isinstance(seen, dict):
        bench.fail("whole", expected=_WHOLE, seen=ev.raised(result) or result.verdict, by="effects")
        return
    if "hangs" in seen:
        for key in ("whole", "beside"):
            bench.wait(key, "finishes" if seen["hangs"] == "update" else "saves")
        return
    by = "kernel" if seen["updating"]["stepped"] else "effects"
    elsewhere = _refused_elsewhere(seen)
    if elsewhere:
        bench.fail("beside", expected=_BESIDE, seen=elsewhere, looks_like=_ANYWHERE, by=by, go_on=True)
        bench.wait("whole", "beside")
        return
    _judge_whole(bench, seen, made, by)
    _judge_beside(bench, seen, by)


def _refused_elsewhere(seen: dict[str, Any]) -> str:
    """Return the error of an update that wanted to write where some sandboxes let nobody write."""
    said = ev.heard(seen["updating"]["said"])
    words = ev.worded(said, "update") if said is not None and not said.returned else ""
    return words if any(f"'{folder}/" in words for folder in SHARED) else ""


def _idle(seen: dict[str, Any], run: str) -> bool:
    """Return whether a run left the table as it was, and nothing was seen meanwhile either."""
    return len({at for _, at, *_ in seen[run]["stops"]}) == 1


def _judge_whole(bench: Bench, seen: dict[str, Any], made: Tables, by: str) -> None:
    if trouble := _trouble(seen, made):
        words, kind = trouble
        bench.fail("whole", expected=_WHOLE, seen=words, looks_like=_LOOKS[kind], by=by, go_on=True)
    elif idle := [run for run in _RUNS if _idle(seen, run)]:
        bench.wait("whole", "finishes" if idle[0] == "updating" else "saves")
    elif by == "kernel":
        stops = sum(len(seen[run]["stops"]) - 1 for run in _RUNS)
        kills = sum(len(one) for one in seen["kills"].values())
        bench.hold("whole", seen=f"{stops} system calls, {kills} kills; old or new each time", by=by)
    else:
        bench.skip("whole", UNSTEPPED)


def _trouble(seen: dict[str, Any], made: Tables) -> tuple[str, str] | None:
    """Return the first moment at which the table was neither old nor new."""
    states = [None if text is None else text.encode("latin-1") for text in seen["texts"]]
    old = {"saving": made.old, "joining": made.torn, "updating": made.old}
    new = {run: states[seen[run]["stops"][-1][1]] for run in _RUNS}
    runs = [(who, seen[run], (old[run], new[run])) for run, who in _RUNS.items()]
    for who, run in (("save", "saving"), ("update", "updating")):
        runs += [(f"{who}, killed at {name},", told, (old[run], new[run])) for name, told in seen["kills"][who]]
    for who, told, allowed in runs:
        if trouble := _torn(who, told, states, allowed):
            return trouble
    if seen["updating"]["held"] != made.old.decode("latin-1"):
        return "a reader who had opened the old table got half of the one and half of the other", "in place"
    return None


def _torn(
    who: str, told: dict[str, Any], states: list[bytes | None], allowed: tuple[bytes, bytes | None]
) -> tuple[str, str] | None:
    """Return the first stop at which the table was neither old nor new, in words, and which kind of trouble that is."""
    before, names = "", [name for name, *_ in told["stops"]]
    for place, (name, at, _, inode) in enumerate(told["stops"]):
        state = states[at]
        if not state or state not in allowed:
            kind = "missing" if state is None else "torn" if state else "empty"
            renamed = any(one.startswith(("rename", "link")) for one in names[:place])
            if (renamed and kind == "empty") or (before.startswith(("rename", "link")) and state is not None):
                kind = "undone"
            if kind == "torn" and who.startswith("update") and inode == told["stops"][0][3]:
                kind = "in place"
            there = (
                "no table at all" if state is None else f"a table of {len(state):,} bytes, {len(allowed[0]):,} before"
            )
            when = "at its end" if name == "end" else f"before {name}"
            return f"{who} {when}: {there}", kind
        before = name
    return None


def _judge_beside(bench: Bench, seen: dict[str, Any], by: str) -> None:
    for run, who in (("updating", "update"), ("saving", "save"), ("joining", "save"), ("bare", "update")):
        if seen[run]["foreign_folders"]:
            words = f"{who} wrote the new table into {seen[run]['foreign_folders'][0]}"
            looks_like = _ANYWHERE
            if run == "bare":
                words, looks_like = f"where db is 'containers.db', {words}", _BARE
            bench.fail("beside", expected=_BESIDE, seen=words, looks_like=looks_like, by=by, go_on=True)
            return
        if run != "bare" and seen[run]["left"] and not _idle(seen, run):
            left = seen[run]["left"][0]
            words = "a file that nobody removes. rename leaves none: it moves the name."
            if left.endswith((".bak", ".old", ".orig", ".backup")):
                words = (
                    "a copy of the old table that nobody removes. rename needs none: the old table is there until then."
                )
            bench.fail(
                "beside", expected=_BESIDE, seen=f"{who}: {left} is still there", looks_like=words, by=by, go_on=True
            )
            return
    if _idle(seen, "updating"):
        bench.wait("beside", "finishes")
    elif by == "effects" and not any(name in ("os.rename", "os.link") for name, *_ in seen["updating"]["stops"]):
        bench.skip("beside", UNSTEPPED)
    else:
        bench.hold("beside", seen="the table's folder holds the table and nothing else", by=by)
