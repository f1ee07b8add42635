"""M2.7, the capstone: ``run(home, image, argv) -> ExitInfo``, a small ``mdock run`` on a real root file system."""

from __future__ import annotations

import errno
import random
import re
import signal
import time
from calendar import timegm
from typing import Any

from udock_lab.grading import evidence as ev
from udock_lab.grading.bench import Bench, Stop
from udock_lab.grading.exercise import Story
from udock_lab.grading.exercises.m2_6_exec_failure.judge import info
from udock_lab.grading.exercises.m2_7_mdock_run.requirements import REQUIREMENTS
from udock_lab.grading.mdockstage import MAIN, TEN, Played, play
from udock_lab.grading.tables import misspelt, mistimed

__all__ = ["STORIES"]


# What execve refuses; the stage adds two files of its own. All end alike in the image and outside it, where chroot
# is refused.
NOT_STARTED = {"no-file": "/no-such-program", "closed": "/etc/passwd"}


def judge(bench: Bench) -> None:
    """Judge two stories: a few programs one by one, the first held at a gate; ten at once."""
    code, number = random.randrange(129, 256), int(random.choice((signal.SIGTERM, signal.SIGKILL, signal.SIGUSR1)))
    scripts = {"signal": f"kill -{number} $$", "127": "echo 127 2; echo 127 2 >&2; exit 127"}
    scripts |= {"2": "exit 2", "0": "exit 0"}
    others = [(name, ["/bin/sh", "-c", f"echo $$ > pid-{name}; {script}"]) for name, script in scripts.items()]
    others += [(name, [path]) for name, path in NOT_STARTED.items()]
    story = play(bench, MAIN, code=str(code), others=others)
    if not story.value:
        bench.fail("missing", expected="run comes back", seen=ev.raised(story.result) or story.result.verdict)
    _missing(bench, story)
    _inside(bench, story)
    _phase_one(bench, story)
    _an_id_of_its_own(bench, story)
    _ends(bench, story, code, number)
    _phase_two(bench, story, code, number)
    _whole(bench, story)
    _ten(bench)
    _clean(bench, story)


def _missing(bench: Bench, story: Played) -> None:
    wanted = f"Image '{story.image}23' not found"
    expected = f'LookupError("{wanted}")'
    own, forks, *words = _said(story, "missing")
    if words != ["raised", "LookupError", wanted]:
        looks_like = ""
        if words[0] != "raised" and own:
            looks_like = "an image that is not there is the caller's mistake, and the caller has to hear of it."
        if words[0] == "ExitInfo" and forks:
            looks_like = _ANOTHER
        bench.fail("missing", expected=expected, seen=_words(words), looks_like=looks_like)
    if forks or story.value["after missing"] != story.history:
        done = "a process was made" if forks else "containers.db was changed"
        looks_like = "the lookup comes first: what is not there needs no process and no record."
        bench.fail("missing", expected="no process, no record", seen=done, looks_like=looks_like)
    bench.hold("missing", seen=f"{expected}, no fork, and containers.db as it was")


def _said(story: Played, name: str) -> list[Any]:
    """Return the worker's own line; where there is none, what is known instead."""
    own = [line for line in story.said.get(name, []) if line[0]]
    if own:
        return own[0]
    hung = not story.value.get(f"{name} came back", True)
    return [True, 0, "hung", "run did not come back" if hung else "the process that called run ended inside it"]


def _words(words: list[Any]) -> str:
    kind, *rest = words
    if kind == "raised":
        return f"run raised {rest[0]}: {rest[1]}"
    if kind == "hung":
        return str(rest[0])
    return f"you returned {info(rest[0])}" if kind == "ExitInfo" else f"run returned {rest[0]}, of type {kind}"


def _inside(bench: Bench, story: Played) -> None:
    expected = "/proc/PID/root and /proc/PID/cwd of the program are the image's root file system"
    if library := ev.library_calls(story.result):
        looks_like = "a library that forks and execs inside; this exercise is about doing it yourself."
        bench.fail("inside", expected="os.fork() and exec", seen=f"{library[0]} did it", looks_like=looks_like)
    kernel = story.value.get("kernel")
    if not kernel:
        _not_judged_where_chroot_is_refused(bench, story)
        copies = [line for line in story.said.get("gated", []) if not line[0]]
        seen = _words(copies[0][2:]) + " (in the child)" if copies else _words(_said(story, "gated")[2:])
        looks_like = "the child ran past its branch, into your caller." if copies else ""
        if "UnicodeDecodeError" in seen:
            looks_like = "a table taken for text. A line that is no record may hold any bytes: open it with 'rb'."
        if seen.endswith(info([125, None, errno.ENOENT])):
            looks_like = "what was taken for the path is none: a line with another number of fields is no record."
        if "No such file or directory" in seen and "/home/" in seen:
            looks_like = "the caller itself went inside, where its own files are not. chroot belongs into the child."
        if began := story.value.get("began"):
            seen, looks_like = f"it began {began}", _BEGAN[began]
        bench.fail("inside", expected="the program runs in the image", seen=f"not there: {seen}", looks_like=looks_like)
        return
    if kernel["parent"] != story.value["worker"]:
        seen = "the program ran in the process that called run, or in a grandchild of it"
        bench.fail("inside", expected="the program is a child of the process that called run", seen=seen)
    if not story.value["may chroot"] and kernel["cwd"] == "the image":
        bench.skip("inside", "this machine lets nobody chroot in the sandbox (EPERM), so it is not judged here")
        return
    if (kernel["root"], kernel["cwd"]) != ("the image", "the image"):
        bench.fail(
            "inside",
            expected=expected,
            seen=f"its root is {kernel['root']}, its working directory is {kernel['cwd']}",
            looks_like=_not_inside(kernel),
        )
    if kernel["words"][:2] != ["/bin/sh", "-c"]:
        looks_like = "argv goes to execve whole: argv[0] is the path of the program and its first word."
        seen = f"the words begin with {kernel['words'][:2]}"
        bench.fail("inside", expected="the words '/bin/sh', '-c', ...", seen=seen, looks_like=looks_like)
    bench.hold("inside", seen="root and working directory of the running program are the image's")


def _not_judged_where_chroot_is_refused(bench: Bench, story: Played) -> None:
    """Leave an answer unjudged that runs nothing on a machine which refuses chroot, because EPERM is fatal for it.

    Only the requirement on EPERM says so.
    """
    words = _words(_said(story, "gated")[2:])
    refused = f"errno={errno.EPERM})" in words or "Operation not permitted" in words
    if story.value["may chroot"] or not refused:
        return
    for key in ("inside", "phase1", "ends", "phase2", "whole", "ids", "clean"):
        bench.skip(key, "this machine lets nobody chroot in the sandbox (EPERM), and there your run starts no program")
    raise Stop


_ANOTHER = "another image was found: the name counts whole, with its case, in a line of three fields, the first one."
_OUTSIDE = "chroot changes where paths begin, not where the process stands."
_BEGAN = {"in another image": _ANOTHER, "in the caller's working directory": _OUTSIDE}


def _not_inside(kernel: dict[str, Any]) -> str:
    if "another image" in (kernel["root"], kernel["cwd"]):
        return _ANOTHER
    if kernel["root"] == "the image":
        return _OUTSIDE
    return "the program was started without chroot, or before it."


def _phase_one(bench: Bench, story: Played) -> None:
    pid = story.value["pid"]
    expected = f"a line ID|{pid}|{story.image}|running|START|| while the program runs"
    found = [fields for fields in story.own("while it runs") if fields != [""]]
    if not found:
        looks_like = (
            "the child was not held back, or the record was still in the buffer of an open file: fork lets both go on, "
            "and exec does not wait for your record."
        )
        seen = "the program ran and there was no new line"
        if len(story.value["while it runs"]) < len(story.history):
            seen, looks_like = "lines that were there are gone", "the table was opened with 'w', which empties it."
        bench.fail("phase1", expected=expected, seen=seen, looks_like=looks_like)
    fields = next((fields for fields in found if pid in fields[1:2]), found[0])
    line = "|".join(fields)
    if len(fields) != 7 or fields[1:4] + fields[5:] != [pid, story.image, "running", "", ""]:
        looks_like = misspelt(line.encode() + b"\n")
        if fields[1:2] == [str(story.value["worker"])]:
            looks_like = "the parent's own pid in the record."
        bench.fail("phase1", expected=expected, seen=line, looks_like=looks_like)
    if not story.value["while it runs"].endswith("\n"):
        looks_like = "the newline at the end is missing: the next record would go on in this line."
        bench.fail("phase1", expected=expected, seen=line, looks_like=looks_like)
    if not re.fullmatch(r"c[0-9]+", fields[0]):
        bench.fail("phase1", expected=expected, seen=line, looks_like="an id is c and a number, with nothing around.")
    if not _is_now(fields[4], story):
        looks_like = mistimed(fields[4])
        bench.fail("phase1", expected=f"START such as {_now(story)}", seen=line, looks_like=looks_like)
    bench.hold("phase1", seen=f"{line} while process {pid} waited")


def _an_id_of_its_own(bench: Bench, story: Played) -> None:
    """Judge that the id is its own: one below the highest is another container's, now or a little later.

    Nothing that follows would be right.
    """
    own = next(fields for fields in story.records("while it runs") if fields[1] == story.value["pid"])
    if int(own[0][1:]) <= story.highest:
        bench.fail("ids", expected=f"the id c{story.highest + 1}", seen=own[0], looks_like=_RULE)


def _now(story: Played) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() + story.zone))


def _is_now(text: str, story: Played) -> bool:
    """Return whether it is local time, ISO 8601 to the second, some minutes ago at most."""
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}", text):
        return False
    try:
        seconds = timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%S")) - story.zone
    except ValueError:
        return False
    return abs(time.time() - seconds) < 600


def _ends(bench: Bench, story: Played, code: int, number: int) -> None:
    wanted_of: list[tuple[str, str, list[int | None]]] = [
        ("gated", f"a program that exits with {code}", [code, None, None]),
        ("signal", f"a program that signal {number} ends", [None, number, None]),
        ("no-file", "a program that the image does not have", [127, None, errno.ENOENT]),
        ("closed", "a file without x permission", [126, None, errno.EACCES]),
        ("127", "a program that prints and itself exits with 127", [127, None, None]),
        ("2", "a program that itself exits with 2", [2, None, None]),
        ("0", "a program that exits with 0", [0, None, None]),
        ("garbage", "a file that is no program", [126, None, errno.ENOEXEC]),
        ("script", "a script whose interpreter is missing", [127, None, errno.ENOENT]),
    ]
    for name, what, wanted in wanted_of:
        if len(story.said.get(name, [])) > 1:
            looks_like = "the child ran past its branch. After a failed exec only os._exit ends it."
            seen = "two processes came out of run"
            bench.fail("ends", expected="one process returns", seen=seen, looks_like=looks_like)
        words = _said(story, name)[2:]
        if words != ["ExitInfo", wanted]:
            expected = f"{what}: {info(wanted)}"
            bench.fail("ends", expected=expected, seen=_words(words), looks_like=_misread(words, wanted))
    bench.hold("ends", seen=f"code {code}, signal {number}, ENOENT, EACCES, and a 127 of the program's own")


def _misread(words: list[Any], wanted: list[int | None]) -> str:
    if words[0] == "hung":
        return "a parent that keeps the write end of a pipe waits for itself."
    if words[0] != "ExitInfo":
        return ""
    got = (*words[1], None, None, None)[:3]
    if wanted[1] and got[0] is not None:
        return "128 + n is for the record; run itself says which signal it was, and that there is no code."
    if wanted[2] == errno.ENOEXEC and got[2] is None and got[0] != 126:
        return "a shell was asked to run what execve refuses."
    if wanted[2] and got[2] is None:
        return "the errno stayed in the child: the exit code alone does not tell."
    if wanted[2] and wanted[2] == got[2]:
        return "127 says that there is nothing to execute (ENOENT), 126 that execve refused it for another reason."
    if wanted[2]:
        return "an errno made from the exit code or by looking at the file. Only execve knows; the child tells it."
    if wanted[2] is None and got[2] is not None:
        return "an exit code, or what the program prints, taken for proof that the exec failed."
    if wanted[0] and got[0] == wanted[0] << 8:
        return "the raw wait status taken for the exit code. Bits 8-15 hold the code."
    if wanted[0] and wanted[0] > 128 and got[0] == wanted[0] & 0x7F:
        return "seven bits of the exit code. It has eight: 0 to 255."
    if wanted[0] == 0 and got[0] is None:
        return "exit code 0 taken for no exit code: 0 and None are both false."
    if wanted[0] and wanted[0] > 128 and got[1] is not None:
        return "an exit code above 128 taken for a signal. Only the wait status tells the two apart."
    return ""


def _phase_two(bench: Bench, story: Played, code: int, number: int) -> None:
    first = next(fields for fields in story.records("while it runs") if fields[1] == story.value["pid"])
    ends = {"gated": code, "signal": 128 + number, "127": 127, "2": 2, "0": 0, "no-file": 127, "closed": 126}
    earlier: set[str] = set()
    for name, wanted in ends.items():
        expected = f"ID|PID|{story.image}|exited|START|END|{wanted}"
        found = story.records(f"after {name}")
        if not found:
            bench.fail("phase2", expected=expected, seen="no record that can be read")
        one = next((one for one in found if one[0] not in earlier), found[-1])
        earlier |= {one[0] for one in found}
        line = "|".join(one)
        if len({(each[0], each[1]) for each in found}) != len(found):
            looks_like = "phase 2 added a line; it completes the line of phase 1."
            bench.fail("phase2", expected="one line a run", seen=f"{len(found)} lines", looks_like=looks_like)
        if one[2:4] + one[6:] != [story.image, "exited", str(wanted)] or not _is_now(one[5], story):
            bench.fail("phase2", expected=expected, seen=line, looks_like=_incomplete(one, wanted))
        if name == "gated":
            _same_line(bench, story, first, one)
        if (pid := story.value.get(f"pid of {name}")) and one[1] != pid:
            bench.fail("phase2", expected=f"the record of process {pid}, which ran", seen=line)
    bench.hold("phase2", seen=f"exit codes {code}, {128 + number}, 127 and 126 stand in the records")


def _incomplete(fields: list[str], wanted: int) -> str:
    if fields[3] == "running":
        return "the second phase is missing."
    if fields[3] == "exited" and fields[6] == str(wanted):
        return mistimed(fields[5]) or "the end time is missing."
    if wanted > 128 and fields[6].lstrip("-") == str(wanted - 128):
        return "the record holds 128 + n for signal n, as a shell says it."
    if fields[3] not in ("exited", "running"):
        return "whatever ended it, the status of a run that is over is exited."
    return ""


def _same_line(bench: Bench, story: Played, first: list[str], one: list[str]) -> None:
    """Judge that phase 2 completes the line of phase 1, where it stands.

    A second had passed, and another line came after it.
    """
    was, became = "|".join(first), "|".join(one)
    if (first[0], first[1], first[4]) != (one[0], one[1], one[4]):
        expected = "the same id, pid and start as in phase 1"
        bench.fail("phase2", expected=expected, seen=f"{was} became {became}", looks_like="the start was written anew.")
    if one[5] <= first[4]:
        looks_like = "one time for both. The end is known when waitpid has returned, not before."
        bench.fail("phase2", expected="an end some time after the start", seen=became, looks_like=looks_like)
    final, another = story.value["after gated"], story.value["another"]
    if final.startswith(story.history) and f"\n{another}" in final.partition(became)[0]:
        looks_like = "the line was taken out and added at the end. Each line stays where it is."
        bench.fail("phase2", expected="the record in the line of phase 1", seen="it moved", looks_like=looks_like)


def _whole(bench: Bench, story: Played) -> None:
    final, another = story.value["after closed"], story.value["another"]
    if not final.startswith(story.history) or f"\n{another}" not in final:
        old = [*story.history.split("\n"), another.strip("\n")]
        left = [line for line in old if line not in final.split("\n")]
        bench.fail(
            "whole",
            expected="the lines that were there, byte for byte and in their order",
            seen=f"missing: {left[0]!r}" if left else "their order or the lines between them changed",
            looks_like=_mangled(left, another.strip("\n")),
        )
    if not all(line.count("|") == 6 for line in final.removeprefix(story.history).splitlines()):
        bench.fail("whole", expected="one line a run and nothing else", seen="a line more, that is no record")
    if story.value["in place"]:
        bench.fail(
            "whole",
            expected="a reader who has the old table open still sees it whole",
            seen="the open file changed under the reader",
            looks_like="the table was rewritten in place: between truncation and write it is empty for everybody.",
        )
    if torn := story.result.files.get("torn"):
        bench.fail(
            "whole",
            expected="at each moment there is a whole table, the old one or the new one",
            seen=torn.decode().splitlines()[0],
            looks_like="the new file is written and closed first; then one rename puts it over the old one.",
        )
    bench.hold("whole", seen="the old lines are the same bytes, the new table is another file")


def _mangled(left: list[str], another: str) -> str:
    """Return what became of lines that belong to others, in words."""
    if left == [another]:
        return (
            "a line that came while your program ran was lost or changed. Phase 2 reads the table anew, and "
            "compares whole ids."
        )
    if left and (left[0].count("|") == 6 or re.match(r"c[0-9]", left[0])) and " | " not in left[0]:
        return "a line that is not yours was changed. Yours is the one whose whole first field is your id."
    if left and "\r" in left[0]:
        return "the table taken for text: a carriage return ends no line, and bytes that are no text stay as they are."
    return "lines that are no records were left out, or written anew in another form." if left else ""


def _ten(bench: Bench) -> None:
    story = play(bench, TEN)
    first = story.highest + 2  # one run came before them
    expected = f"the ids c{first} to c{first + 9}, each with its exit code"
    if not story.value.get("all came back"):
        bench.fail("ids", expected=expected, seen="not all ten came back: " + (ev.raised(story.result) or "they wait"))
    raised = [line[2:] for lines in story.said.values() for line in lines if line[2] != "ExitInfo"]
    if raised:
        bench.fail("ids", expected=expected, seen=_words(raised[0]), looks_like=_SHARED)
    found = story.records("table")[1:]
    ids = [fields[0] for fields in found]
    if len(set(ids)) < len(ids):
        looks_like = _TWO_STEPS if f"c{first}" in ids else _RULE
        seen = f"{len(ids) - len(set(ids))} ids were given twice"
        bench.fail("ids", expected=expected, seen=seen, looks_like=looks_like)
    if len(ids) < 10 or not story.value["table"].startswith(story.history):
        bench.fail("ids", expected=expected, seen=f"{len(ids)} records of 10 are left", looks_like=_SHARED)
    if set(ids) != {f"c{first + more}" for more in range(10)}:
        bench.fail("ids", expected=expected, seen=f"the ids {', '.join(ids)}", looks_like=_RULE)
    ends = sorted((int(fields[6] or 0), fields[1], fields[3]) for fields in found)
    wanted = [(int(code), pid, "exited") for code, pid in story.value["pids"].items()]
    if ends != wanted:
        seen = f"code, pid, status: {next(one for one in ends if one not in wanted)}"
        bench.fail("ids", expected=expected, seen=seen, looks_like=_SHARED)
    bench.hold("ids", seen=f"c{first} to c{first + 9}, ten complete records")


_RULE = "the rule is highest in the file + 1, among lines of seven fields, compared as numbers: c10 comes after c9."
_SHARED = "a rewrite that ran beside another one, without a lock of its own file: one of the two was lost."
_TWO_STEPS = "reading the highest id and writing the record are two steps; nothing keeps others out between."


def _clean(bench: Bench, story: Played) -> None:
    kernel = story.value["kernel"]
    given = dict(variable.partition("=")[::2] for variable in kernel["variables"])
    taken = [name for name, value in given.items() if value == story.token or name == "TZ"]
    expected = "an environment with PATH, made for the program"
    if taken:
        looks_like = "execv hands on the caller's environment whole." if "UDOCK_TOKEN" in taken else ""
        bench.fail("clean", expected=expected, seen=f"the caller's {taken[0]} is in it", looks_like=looks_like)
    if not given.get("PATH"):
        bench.fail("clean", expected=expected, seen="PATH is empty" if "PATH" in given else "there is no PATH")
    if kernel["fds"]:
        looks_like = "a pipe or a lock that was made inheritable, or an open image folder: a way out of the chroot."
        bench.fail("clean", expected="descriptors 0, 1 and 2", seen=f"also {kernel['fds']}", looks_like=looks_like)
    bench.hold("clean", seen=f"{len(given)} variables, descriptors 0, 1 and 2")


STORIES = (Story(judge, tuple(requirement.key for requirement in REQUIREMENTS)),)
