"""M2.7, the capstone: ``run(home, image, argv) -> ExitInfo``, a small ``mdock run`` on a real root file system."""

from __future__ import annotations

import errno
import random
import signal
from typing import Any

from udock_lab.grading import evidence as ev
from udock_lab.grading.bench import Bench
from udock_lab.grading.exercise import story
from udock_lab.grading.exercises.m2_7_mdock_run import diagnose, scenes
from udock_lab.grading.exercises.m2_7_mdock_run.played import Call, Drawn, Played, Record, Wanted, is_info, play, words

__all__ = ["STORIES"]

SHELL = ["/bin/sh", "-c"]
# Numbers of signals that end a program; the last one has no name in Python.
SIGNALS = (int(signal.SIGTERM), int(signal.SIGKILL), 35)
# What execve refuses. All end alike in the image and outside it, where chroot is refused.
REFUSED = {
    "no-file": ("a program that the image does not have", "/no-such-program", errno.ENOENT),
    "closed": ("a file without x permission", "/etc/passwd", errno.EACCES),
    "garbage": ("an executable file of no known format", "", errno.ENOEXEC),
    "script": ("a script whose interpreter is missing", "", errno.ENOENT),
    "inside-a-file": ("a path on which a file stands for a folder", "/etc/passwd/sh", errno.ENOTDIR),
    "long": ("a name of 300 letters", f"/{'x' * 300}", errno.ENAMETOOLONG),
}
HELD = "held"  # the program that waits for a word
GONE = "gone"  # an image whose root file system is not there
REFUSED_HERE = "this machine lets nobody chroot in the sandbox (EPERM), and there your run starts no program"


# -- an image that is not there ---------------------------------------------------------------------------


@story("missing")
def not_there(bench: Bench) -> None:
    """Ask for images that images.db does not have; the names of others begin like theirs, or differ by case."""
    drawn = Drawn()
    names = [f"{drawn.image}23", drawn.image[1:], drawn.image.capitalize(), f"{drawn.image} ", "it's"]
    story = play(bench, scenes.not_there, drawn, names=names)
    for name in names:
        step = story.value.get("row", {}).get(name, {"said": None, "copy": None, "forks": 0, "ran": ""})
        said, wanted = ev.heard(step["said"]), f"Image '{name}' not found"
        expected = f"LookupError({wanted!r})"
        if not diagnose.is_lookup_error(said, wanted):
            seen = words(said, bool(story.value.get("gone"))) if story.value else ev.raised(story.result)
            looks_like = diagnose.not_missed(said, ev.heard(step["copy"]), step["ran"], name, wanted)
            bench.fail("missing", expected=expected, seen=seen or story.result.verdict, looks_like=looks_like)
        if step["forks"]:
            looks_like = "the lookup comes first: what is not there needs no process and no record."
            bench.fail("missing", expected="no process", seen="a process was made", looks_like=looks_like)
    if story.value["table"] != drawn.history:
        looks_like = "the lookup comes first: what is not there needs no record."
        bench.fail("missing", expected="no record", seen="containers.db was changed", looks_like=looks_like)
    bench.hold("missing", seen=f"LookupError for {len(names)} names, no fork, and containers.db as it was")


# -- programs, one of them held ---------------------------------------------------------------------------


@story("inside", "phase1", "ends", "phase2", "whole", "clean")
def programs(bench: Bench) -> None:
    """Run one program that is held while questions are asked, and many in a row."""
    drawn, code = Drawn(), random.randrange(129, 256)
    series = _series()
    calls = [(name, GONE if name == GONE else drawn.image, argv) for name, _, argv, _ in series]
    story = play(bench, scenes.programs, drawn, token=drawn.variables, code=code, calls=calls)
    if not story.value.get("may chroot", True) and diagnose.refused_chroot(story):
        for key in ("inside", "phase1", "ends", "phase2", "whole", "clean"):
            bench.skip(key, REFUSED_HERE)
        return
    begins = _begins(bench, story)
    steps = {step["name"]: step for step in story.value.get("row", [])}
    if begins:
        _inside(bench, story)
        _phase_one(bench, story)
        _clean(bench, story)
    wanted: list[tuple[str, str, Wanted]] = [(HELD, f"a program that exits with {code}", [code, None, None])]
    wanted += [(name, what, ends) for name, what, _, ends in series]
    held = {"came back": story.value.get("came back"), "said": None, "copy": None}
    if outcome := story.value.get("outcome"):
        held |= {"said": outcome[1], "copy": outcome[3]}
    _ends(bench, wanted, steps | ({HELD: held} if begins else {}))
    if begins:
        _phase_two(bench, story, wanted, steps, code)
        _whole(bench, story)


def _series() -> list[tuple[str, str, list[str], Wanted]]:
    """Return what is run in a row: what it is called, what it is, its words, how it ends."""
    code = random.randrange(3, 120)
    scripts: list[tuple[str, str, str, Wanted]] = [
        ("plain", f"a program that exits with {code}", f"exit {code}", [code, None, None]),
        *((f"signal-{n}", f"a program that signal {n} ends", f"kill -{n} $$", [None, n, None]) for n in SIGNALS),
        ("127", "a program that prints 127 2 and exits with 127", "echo 127 2; echo 127 2 >&2; exit 127",
         [127, None, None]),
        ("126", "a program that exits with 126", "exit 126", [126, None, None]),
        ("2", "a program that exits with 2", "exit 2", [2, None, None]),
        ("0", "a program that exits with 0", "exit 0", [0, None, None]),
    ]  # fmt: skip
    made = [(name, what, [*SHELL, f"echo $$ > pid-{name}; {script}"], ends) for name, what, script, ends in scripts]
    for name, (what, path, number) in REFUSED.items():
        made.append((name, what, [path or f"./{name}"], [127 if number == errno.ENOENT else 126, None, number]))
    return [*made, (GONE, "an image whose root file system is not there", [*SHELL, "exit 0"], [])]


def _begins(bench: Bench, story: Played) -> bool:
    """Return whether the held program began; where it did not, nothing of it can be judged."""
    if library := ev.library_calls(story.result):
        looks_like = "a library that forks and execs inside; this exercise is about doing it yourself."
        seen = f"{library[0].replace('_posix', '')} did it"
        bench.fail("inside", expected="os.fork() and exec", seen=seen, looks_like=looks_like)
    if story.value.get("pid"):
        return True
    outcome = story.value.get("outcome") or ["held", None, 0, None]
    said, copy = ev.heard(outcome[1]), ev.heard(outcome[3])
    seen = words(said, bool(story.value.get("ended"))) if story.value else ev.raised(story.result)
    if copy:
        seen = f"{words(copy)}, in the child"
    bench.fail(
        "inside",
        expected="the program runs in the image",
        seen=f"it did not begin: {seen or story.result.verdict}",
        looks_like=diagnose.not_begun(said, copy),
        go_on=True,
    )
    for key in ("phase1", "phase2", "whole", "clean"):
        bench.wait(key, "inside")
    return False


def _inside(bench: Bench, story: Played) -> None:
    kernel = story.value["kernel"]
    if kernel["parent"] != story.value["runner"]:
        seen = "the program ran in the process that called run, or in a grandchild of it"
        expected = "the program is a child of the process that called run"
        bench.fail("inside", expected=expected, seen=seen, go_on=True)
    elif not story.value["may chroot"] and kernel["cwd"] == "the image":
        bench.skip("inside", "this machine lets nobody chroot in the sandbox (EPERM), so it is not judged here")
    elif (kernel["root"], kernel["cwd"]) != ("the image", "the image"):
        bench.fail(
            "inside",
            expected="/proc/PID/root and /proc/PID/cwd of the program are the image's root file system",
            seen=f"its root is {kernel['root']}, its working directory is {kernel['cwd']}",
            looks_like=diagnose.not_inside(kernel),
            go_on=True,
        )
    elif kernel["words"][:2] != ["/bin/sh", "-c"]:
        looks_like = "argv goes to execve whole: argv[0] is the path of the program and its first word."
        seen = f"the words begin with {kernel['words'][:2]}"
        bench.fail("inside", expected="the words '/bin/sh', '-c', ...", seen=seen, looks_like=looks_like, go_on=True)
    else:
        bench.hold("inside", seen="root and working directory of the running program are the image's")


def _phase_one(bench: Bench, story: Played) -> None:
    pid, drawn = story.value["pid"], story.drawn
    expected = f"a line ID|{pid}|{drawn.image}|running|START|| while the program runs"
    found = [fields for fields in story.own(story.value["while it runs"]) if fields != [""]]
    fields = next((fields for fields in found if pid in fields[1:2]), found[0] if found else [])
    line = "|".join(fields)
    complaint = diagnose.phase_one(story, fields)
    if complaint is not None:
        seen, looks_like = complaint
        bench.fail("phase1", expected=expected, seen=seen or line, looks_like=looks_like, go_on=True)
    else:
        bench.hold("phase1", seen=f"{line} while process {pid} waited")
    if story.value.get("orphan", {}).get("unrecorded"):
        bench.note(f"Requirement 10, judged when you hand in: {diagnose.UNRECORDED} {diagnose.OPEN_AT_THE_END}")


def _ends(bench: Bench, wanted: list[tuple[str, str, Wanted]], steps: dict[str, Any]) -> None:
    """Judge what run returned for each, and that it returned once."""
    if HELD not in steps and not any(step["said"] and step["said"]["how"] == "returned" for step in steps.values()):
        bench.wait("ends", "inside")
        return
    for name, what, ends in wanted:
        step = steps.get(name)
        if step is None:
            continue
        said, copy = ev.heard(step["said"]), ev.heard(step["copy"])
        if copy is not None:
            seen = f"a second process came out of run, where it {words(copy).removeprefix('run ')}"
            bench.fail("ends", expected=f"{what}: one process comes out of run", seen=seen,
                       looks_like=diagnose.ran_on(copy), go_on=True)  # fmt: skip
            return
        if step.get("taken"):
            bench.fail("ends", expected="the caller's other children are left to the caller",
                       seen="run has waited for a child that it had not made", looks_like=diagnose.ANY_CHILD,
                       go_on=True)  # fmt: skip
            return
        if ends and not is_info(said, ends):
            expected = f"{what}: {diagnose.info(ends)}"
            seen, looks_like = words(said, bool(step["came back"])), diagnose.misread(said, ends)
            bench.fail("ends", expected=expected, seen=seen, looks_like=looks_like, go_on=True)
            return
    bench.hold(
        "ends", seen=f"codes, signals {', '.join(map(str, SIGNALS))}, {len(REFUSED)} errnos, a 127 of the program's own"
    )


def _phase_two(
    bench: Bench, story: Played, wanted: list[tuple[str, str, Wanted]], steps: dict[str, Any], code: int
) -> None:
    """Judge the record that each run has left, and that the held one's is the line of phase 1."""
    complaint = _of_the_held(story, code)
    known: set[tuple[str, ...]] = set()
    for name, _, ends in wanted:
        if complaint is not None or name not in steps or not ends:
            continue
        found = [tuple(record) for record in story.records(steps[name]["table"]) if tuple(record) not in known]
        known |= set(found)
        if found and not story.drawn.is_above(found[0][0]):
            break  # an id that may be another container's, which is judged by itself; nothing that follows is right
        number = 128 + ends[1] if ends[1] else ends[0]
        complaint = diagnose.phase_two(story, [list(record) for record in found], number or 0, steps[name]["pid"])
    if complaint is not None:
        expected, seen, looks_like = complaint
        bench.fail("phase2", expected=expected, seen=seen, looks_like=looks_like, go_on=True)
    else:
        bench.hold("phase2", seen=f"exit codes {code}, {128 + SIGNALS[0]}, 127 and 126 stand in the records")


def _of_the_held(story: Played, code: int) -> diagnose.Complaint | None:
    """Say what is wrong with the record of the program that was held."""
    before = [record for record in story.records(story.value["while it runs"]) if record[1] == story.value["pid"]]
    after = story.records(story.value["table"])
    if not before:
        return diagnose.phase_two(story, after, code, "")
    first: Record = before[0]
    if len(after) == 1 and (first[0], first[1], first[4]) != (after[0][0], after[0][1], after[0][4]):
        seen = f"{'|'.join(first)} became {'|'.join(after[0])}"
        return "the same id, pid and start as in phase 1", seen, "the start was written anew."
    if (complaint := diagnose.phase_two(story, after, code, story.value["pid"])) is not None:
        return complaint
    return diagnose.same_line(story, first, after[0])


def _whole(bench: Bench, story: Played) -> None:
    complaint = diagnose.not_whole(story)
    if complaint is not None:
        expected, seen, looks_like = complaint
        bench.fail("whole", expected=expected, seen=seen, looks_like=looks_like, go_on=True)
    else:
        bench.hold("whole", seen="the old lines are the same bytes, the new table is another file")


def _clean(bench: Bench, story: Played) -> None:
    kernel, token = story.value["kernel"], story.drawn.token
    given = dict(variable.partition("=")[::2] for variable in kernel["variables"])
    taken = [name for name, value in given.items() if value == token or name == "TZ"]
    expected = "an environment with PATH, made for the program"
    if taken:
        looks_like = "execv hands on the caller's environment whole." if "UDOCK_TOKEN" in taken else ""
        seen = f"the caller's {taken[0]} is in it"
        bench.fail("clean", expected=expected, seen=seen, looks_like=looks_like, go_on=True)
    elif not given.get("PATH"):
        seen = "PATH is empty" if "PATH" in given else "there is no PATH"
        bench.fail("clean", expected=expected, seen=seen, go_on=True)
    elif kernel["fds"]:
        looks_like = "a pipe or a lock that was made inheritable, or an open image folder: a way out of the chroot."
        seen = f"also {', '.join(map(str, kernel['fds']))}"
        bench.fail("clean", expected="descriptors 0, 1 and 2", seen=seen, looks_like=looks_like, go_on=True)
    else:
        bench.hold("clean", seen=f"{len(given)} variables, descriptors 0, 1 and 2")


# -- ten at once ------------------------------------------------------------------------------------------


@story("ids")
def ten_at_once(bench: Bench) -> None:
    """Run a program, then ten at once, all from processes that the first runner forks."""
    drawn = Drawn()
    before: Call = ("first", drawn.image, [*SHELL, "exit 2"])
    calls = [(str(n), drawn.image, [*SHELL, f"echo $$ > pid-{n}; exit {n}"]) for n in range(3, 13)]
    story = play(bench, scenes.ten_at_once, drawn, before=before, calls=calls)
    told = {name: ev.heard(said) for name, said in story.value.get("told", {}).items()}
    if not story.value.get("may chroot", True) and any(diagnose.says_eperm(said) for said in told.values()):
        bench.skip("ids", REFUSED_HERE)
        return
    complaint = diagnose.ids(story, told)
    if complaint is not None:
        expected, seen, looks_like = complaint
        bench.fail("ids", expected=expected, seen=seen, looks_like=looks_like)
    first = drawn.highest + 2
    bench.hold("ids", seen=f"c{first} to c{first + 9}, ten complete records")


STORIES = (not_there, programs, ten_at_once)
