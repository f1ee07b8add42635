"""M2.3: ``next_id(db)`` and a locked ``allocate(db)``: unique under any number of processes.

All scenes are a referee's (referee.py): a process that never loaded the answer looks at locks and tables.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from udock_lab.grading import evidence as ev
from udock_lab.grading.bench import Bench, NotSeenError
from udock_lab.grading.evidence import Said, heard
from udock_lab.grading.exercise import story
from udock_lab.grading.exercises.m2_3_container_ids import diagnose, scenes
from udock_lab.grading.exercises.m2_3_container_ids.diagnose import came_of, number_of
from udock_lab.grading.exercises.m2_3_container_ids.tables import File, before_and_next, files, record
from udock_lab.model import SandboxResult

__all__ = ["STORIES", "is_id", "played"]

MANY = 50
FREE = "another process gets two more ids, one after the other, while the first lives on"


def played(bench: Bench, scene: Callable[..., object], key: str, **values: object) -> Any:
    """Return what the referee brings back; None where ``key`` has been judged: the answer cannot even be loaded."""
    result = _play(bench, scene, values)
    if result.value is None:
        said = ev.raised(result)
        if said and key != "highest" and not bench.exercise.hidden:
            raise _CannotBeLoadedError
        bench.fail(key, expected="your functions can be loaded and called", seen=said or result.verdict)
    return ev.seen_value(result)


class _CannotBeLoadedError(Exception):
    """The first requirement says why."""


def _play(
    bench: Bench, scene: Callable[..., object], values: dict[str, object], *, trace: bool = False
) -> SandboxResult:
    return bench.play(scene, values=values, apart=True, timeout=20, processes=4 * MANY, trace=trace, watch=trace)


def is_id(said: Said | None, number: int) -> bool:
    """Return whether this id was returned, as text."""
    return said is not None and said.returned and said.is_a("str") and said.plain == f"c{number}"


# -- next_id ----------------------------------------------------------------------------------------------


@story("highest", "numbers", "junk")
def looks(bench: Bench) -> None:
    """Judge next_id by what it says of files."""
    tried = files()
    told = played(bench, scenes.looking, "highest", files=[file.text for file in tried])
    seen = list(zip(tried, map(heard, told["said"]), told["untouched"], strict=True))
    _highest(bench, seen)
    form = not bench.holds("highest")  # judged there already
    for key, words in (("numbers", "c1001 after c1000"), ("junk", "no other line was taken for a record")):
        of_it = [(file, said) for file, said, _ in seen if file.key == key]
        wrong = next((one for one in of_it if not _is_next(*one, form=form)), None)
        if wrong is None:
            bench.hold(key, seen=words, by="effects")
        elif form and wrong[1] is not None and wrong[1].returned and number_of(wrong[1]) is None:
            bench.wait(key, "highest")
        else:
            _fail_on(bench, key, *wrong)


def _highest(bench: Bench, seen: list[tuple[File, Said | None, bool]]) -> None:
    changed = next((file for file, _, untouched in seen if not untouched), None)
    of_it = [(file, said) for file, said, _ in seen if file.key == "highest"]
    wrong = next((one for one in of_it if not _is_next(*one)), None)
    if changed is not None:
        bench.fail(
            "highest",
            expected="next_id reads the file and leaves it as it is",
            seen=f"next_id changed the file, or made it: {changed.name}",
            looks_like="a mode that writes: 'w' empties the file, 'a' and 'a+' make it, and begin at its end.",
            by="effects",
            go_on=True,
        )
    elif wrong is not None:
        _fail_on(bench, "highest", *wrong)
    else:
        bench.hold("highest", seen="the next one of each file, c1 of an empty one", by="effects")


def _is_next(file: File, said: Said | None, *, form: bool = False) -> bool:
    return is_id(said, file.number) or (form and number_of(said) == file.number)


def _fail_on(bench: Bench, key: str, file: File, said: Said | None) -> None:
    bench.fail(
        key,
        expected=f"c{file.number} for {file.name}",
        seen=came_of(said, "next_id"),
        looks_like=diagnose.misread(file, said),
        by="effects",
        go_on=True,
        tried={"lines": file.lines, "stay": file.records, "id": f"c{file.number}"},
    )


# -- allocate, alone --------------------------------------------------------------------------------------


@story("appends")
def appends(bench: Bench) -> None:
    """Append to a table that is not there yet, to a plain one, and to one with lines of any bytes."""
    tables = before_and_next()
    try:
        tries = played(bench, scenes.appending, "appends", tables=[text for text, _ in tables])
    except _CannotBeLoadedError:
        bench.wait("appends", "highest")
        return
    for one in tries:
        if not _worth_judging(one, tries):
            continue
        text, number = tables[one["table"]]
        done, looked = heard(one["done"]), heard(one["looked"])
        meant = number_of(looked)
        if meant is not None and meant != number and number_of(done) == meant:
            number = meant  # the number is next_id's matter, and judged there
        elif meant is None and number_of(done) is None and one["table"] == len(tables) - 1:
            continue  # so is a line on which it stumbles
        _appended(bench, text or "", number, one)
    bench.hold("appends", seen=f"{tries[-1]['after'].splitlines()[-1]}, and nothing else changed", by="effects")


def _worth_judging(one: dict[str, Any], tries: list[dict[str, Any]]) -> bool:
    """Return whether this was the last try with its table: the first one wants to make the lock file."""
    return one is [other for other in tries if other["table"] == one["table"]][-1]


def _appended(bench: Bench, text: str, number: int, one: dict[str, Any]) -> None:
    done, after = heard(one["done"]), one["after"]
    line = f"c{number}|{one['pid']}\n"
    if not is_id(done, number):
        bench.fail(
            "appends",
            expected=f'allocate returns "c{number}"',
            seen=came_of(done, "allocate", gone=one["gone"]) + ("" if done else ", though nobody held the lock"),
            looks_like=diagnose.unlike(done, text, number),
            by="effects",
        )
    if after != text + line:
        bench.fail(
            "appends",
            expected=f"the line {line!r} at the end, all else byte for byte as before",
            seen=diagnose.changed(text, after),
            looks_like=diagnose.mangled(text, after, line),
            by="effects",
        )


# -- another process has the lock -------------------------------------------------------------------------


@story("waits", "reads", "releases")
def another_has_the_lock(bench: Bench) -> None:
    """Judge what it does while another process has the lock, what it knows when it has it, and when it lets go."""
    top = random.randrange(20, 90)
    begun = record(top + 1)
    values: dict[str, object] = {
        "texts": [record(top), None, record(top) + begun[:9]], "begun": begun[9:], "gap": top,
    }  # fmt: skip
    try:
        told = played(bench, scenes.waiting_for_the_lock, "waits", **values)
    except _CannotBeLoadedError:
        for key in ("waits", "reads", "releases"):
            bench.wait(key, "highest")
        return
    _waited(bench, told)
    witness = _witness(bench, told["tables"]) or _traced(bench, values)
    if not witness:
        return
    if _makes_the_lock_file(bench, told["fresh"]):
        bench.hold("waits", seen=witness, by="kernel")
    if _had_the_lock(bench, told["tables"]):
        _knew(bench, told, values)
    _let_go(bench, told)


def _waited(bench: Bench, told: dict[str, Any]) -> None:
    """End the story where it did not wait, or not for the lock."""
    early = next((table for table in told["tables"] if table["early"]), None)
    if early is not None:
        locks = early["locks"]
        bench.fail(
            "waits",
            expected="nothing is allocated while another process holds flock on the lock file, exclusive or shared",
            seen=f"{came_of(heard(early['early']), 'allocate')} meanwhile" + _locked(locks),
            looks_like=_not_waited(heard(early["early"]), locks, f"containers{told['tables'].index(early)}.db.lock"),
            by="effects",
        )
    late = next((table for table in told["tables"] if not table["done"]), None)
    if late is not None:
        own = any(how == "O_EXCL" for how, _, _ in late["locks"])
        bench.fail(
            "waits",
            expected="allocate goes on when the lock has been given back",
            seen="it went on waiting for the file to go away" if own else "it still waited 4 s later",
            looks_like="a file whose existence is the lock. Left behind by a process that died, it locks for ever."
            if own or not late["queued"]
            else "",
            by="effects",
        )


def _locked(locks: list[list[Any]]) -> str:
    return f"; it locked {locks[0][1]}, with {locks[0][0]}" if locks else ""


def _not_waited(said: Said | None, locks: list[list[Any]], own: str) -> str:
    if said is not None and said.kind == "FileExistsError":
        return "a lock file that must not be there. O_CREAT without O_EXCL makes it, or opens the one that is there."
    if said is not None and not said.is_a("OSError") and not said.returned:
        return ""  # something else is wrong
    return diagnose.lock_taken(locks, own)


def _witness(bench: Bench, tables: list[dict[str, Any]]) -> str:
    """Return what the kernel showed of the lock; nothing, if it was not seen that anybody asked for it."""
    for table in tables:
        if table["held"]:
            return f"{table['pid']} had LOCK_EX on the lock file when it opened the table"
    for table in tables:
        if table["queued"]:
            return f"/proc/locks: {table['pid']} waited for flock on the lock file"
    if any(table["held"] is False for table in tables):
        bench.fail(
            "waits",
            expected="flock on the lock file, LOCK_EX, for as long as the table is read and written",
            seen="it waited for something, and opened the table when nobody had the lock",
            looks_like="a lock of your own invention. The other programs hold flock on the lock file.",
        )
    return ""


def _traced(bench: Bench, values: dict[str, object]) -> str:
    """Play it once more under strace, for who asks without waiting and opens the table before."""
    result = _play(bench, scenes.waiting_for_the_lock, values, trace=True)
    told = ev.seen_value(result)
    if result.untraced or not isinstance(told, dict):
        for key in ("waits", "reads", "releases"):
            bench.skip(key, "this machine does not show whether flock was called (strace, leases, /proc/locks)")
        return ""
    calls = [call for call in result.calls if call.name == "flock" and call.value == 0 and "LOCK_EX" in call.arguments]
    if not calls:
        bench.fail(
            "waits",
            expected="flock on the lock file, with LOCK_EX",
            seen="the kernel saw no flock at all, though something was waited for",
            looks_like="a lock of your own invention. The other programs hold flock on the lock file.",
        )
    return str(calls[-1])


def _makes_the_lock_file(bench: Bench, fresh: list[Any]) -> bool:
    done = heard(fresh[0])
    if done is not None and done.returned:
        return True
    bench.fail(
        "waits",
        expected="the lock file is made where it is missing, and opened where it exists",
        seen=came_of(done, "allocate"),
        looks_like="a lock file that must be there. O_CREAT (mode 'a' or 'w' of open) makes it where it is missing.",
        by="effects",
        go_on=True,
    )
    return False


def _had_the_lock(bench: Bench, tables: list[dict[str, Any]]) -> bool:
    """Judge by the kernel whether the lock was there when the table was opened, by those whom that could stop."""
    without = next((table for table in tables if table["held"] is False), None)
    if without is None:
        return True
    bench.fail(
        "reads",
        expected="the lock is held while the table is read",
        seen=f"{without['pid']} opened the table when nobody had the lock file's LOCK_EX",
        looks_like=diagnose.not_there(without["locks"]),
        go_on=True,
    )
    return False


def _knew(bench: Bench, told: dict[str, Any], values: dict[str, Any]) -> None:
    """Judge by answers and lines whether it knows what was done before it had the lock."""
    top = told["top"]
    words = "a record was added", "the table was made", "a line was finished"
    for table, number, text, what in zip(
        told["tables"], (top + 1, top + 1, values["gap"] + 2), values["texts"], words, strict=True
    ):
        if not _read_late(bench, table, number, (text or "") + table["taken"], what):
            return
    over, again = told.get("overtaken"), told.get("again")
    if over and over["taken"] and over["done"]:
        base = values["texts"][0] + "".join(over["taken"])
        if not _read_late(bench, over, over["number"] + 1, base, "a record was added just before"):
            return
    if again and again["twice"] and number_of(heard(again["twice"])) != again["later"] + 1:
        bench.fail(
            "reads",
            expected=f"c{again['later'] + 1}: c{again['later']} was taken between two calls of one process",
            seen=came_of(heard(again["twice"]), "allocate"),
            looks_like="a number remembered from the last call. Other processes have taken ids since then.",
            by="effects",
            go_on=True,
        )
        return
    bench.hold("reads", seen=f"c{top + 1}, after c{top} had been taken", by="effects")


def _read_late(bench: Bench, table: dict[str, Any], number: int, base: str, what: str) -> bool:
    done, after = heard(table["done"]), table["after"] or ""
    if number_of(done) != number:
        bench.fail(
            "reads",
            expected=f"c{number}: {what} by the process that had the lock before",
            seen=came_of(done, "allocate"),
            looks_like="read, then locked: what was read is out of date when the lock is there."
            if done is not None and done.returned
            else "",
            by="effects",
            go_on=True,
        )
        return False
    added = after[len(base) :]
    if after.startswith(base) and added.startswith((f"c{number}|", f"{number}|")) and added.count("\n") < 2:
        return True
    bench.fail(
        "reads",
        expected=f"the line c{number}|{table['pid']} behind all that was written before it had the lock",
        seen=diagnose.changed(base, after),
        looks_like="the end of the table looked for before the lock was there. It has moved since then.",
        by="effects",
        go_on=True,
    )
    return False


def _let_go(bench: Bench, told: dict[str, Any]) -> None:
    kept = next((table for table in told["tables"] if table["free"] is False), None)
    again = told.get("again")
    if kept is not None or (again and not again["twice"]):
        bench.fail(
            "releases",
            expected=FREE,
            seen=f"{kept['pid']} has returned, and still has the lock" if kept else "it waits for ever",
            looks_like="a lock that is kept. The last descriptor of its open file gives it back, or LOCK_UN.",
            by="kernel" if kept else "effects",
        )
    bench.hold("releases", seen="another process got the lock while the first lived on", by="kernel")


# -- fifty at once ----------------------------------------------------------------------------------------


@story("many")
def many(bench: Bench) -> None:
    """Judge many at once, one of them stopped between its reading and its writing."""
    top = random.randrange(8, 90)
    try:
        told = played(bench, scenes.many, "many", text=record(top), count=MANY)
    except _CannotBeLoadedError:
        bench.wait("many", "highest")
        return
    first = heard(told["first"])
    if number_of(first) is None:
        seen = came_of(first, "allocate")
        bench.fail("many", expected="the process that forks them all gets an id", seen=seen, by="effects")
    if len(told["done"]) != MANY and told["forked"]:
        bench.fail(
            "many",
            expected=f"{MANY} processes, forked by one that has allocated",
            seen=f"there were {len(told['done'])}",
        )
    if len(told["done"]) != MANY:
        raise NotSeenError(f"of {MANY} processes {len(told['done'])} were heard of")
    _all_different(bench, told, [first, *(heard(done) for _, done in told["done"])], top)
    _own_pids(bench, told)
    if not told["made"] or not told["stays"]:
        flock = any(how == "flock" and where.endswith(".db.lock") for how, where, _ in told["locks"])
        bench.fail(
            "many",
            expected="one lock file for all, from the first to the last",
            seen="the lock file was removed, or another one has its name now"
            if told["made"]
            else "after the first call there was no lock file",
            looks_like=diagnose.REMOVED if told["made"] or flock else diagnose.lock_taken(told["locks"]),
            by="effects",
        )
    if told["together"] > 1:  # the ids were different by good luck
        bench.fail(
            "many",
            expected="one process at a time is at the table, from its reading to its writing",
            seen=f"{told['together']} of {MANY} opened the table at once, and no lock kept them apart",
            looks_like=diagnose.not_alone(told),
        )
    bench.hold("many", seen=f"{MANY + 1} different ids, {MANY + 1} lines", by="effects")


def _lines(told: dict[str, Any]) -> list[list[str]]:
    """Return the first two fields of what was appended."""
    return [[*line.split("|"), ""][:2] for line in (told["text"] or "").splitlines()[1:] if line]


def _all_different(bench: Bench, told: dict[str, Any], all_done: list[Said | None], top: int) -> None:
    wanted = set(range(top + 1, top + MANY + 2))
    ids = [number for one in all_done if (number := number_of(one)) is not None]
    lines = [fields[0] for fields in _lines(told)]
    if (
        set(ids) == wanted
        and len(ids) == MANY + 1 == len(lines)
        and {line.strip("c ") for line in lines} == {str(number) for number in wanted}
    ):
        return
    seen = f"{len(set(ids))} different ids in {len(ids)} answers, {len(set(lines))} in {len(lines)} lines"
    failed = next((one for one in all_done if number_of(one) is None), None)
    if len(ids) <= MANY:
        seen += f"; {came_of(failed, 'allocate')}" if failed else "; some never came back"
    alone = len(ids) == len(set(ids)) and len(lines) >= len(ids)
    bench.fail(
        "many",
        expected=f"{MANY} different ids, and as many lines",
        seen=seen,
        looks_like="" if alone else diagnose.not_alone(told),
        by="effects",
    )


def _own_pids(bench: Bench, told: dict[str, Any]) -> None:
    own = {str(pid) for pid, _ in told["done"]}
    others = [fields for fields in _lines(told)[1:] if fields[1].strip() not in own]
    if len(others) > 1:  # a line of another form is judged elsewhere
        of_one = len({fields[1] for fields in others}) == 1
        bench.fail(
            "many",
            expected="each line has the pid of the process that allocated",
            seen=f"{len(others)} lines have another, for instance {'|'.join(others[0])}",
            looks_like="a pid remembered from before fork. The child has one of its own: os.getpid() in allocate."
            if of_one
            else "",
            by="effects",
        )


STORIES = (looks, appends, another_has_the_lock, many)
