"""M2.3: ``next_id(db)`` and a locked ``allocate(db)``: unique under any number of processes."""

from __future__ import annotations

import random
from typing import Any

from udock_lab.grading import evidence as ev
from udock_lab.grading.exercise import Bench, Exercise
from udock_lab.model import Requirement, SandboxResult

__all__ = ["EXERCISE", "PROCESSES", "scenario"]

MANY = 50
REQUIREMENTS = (
    Requirement(
        key="highest",
        name="the highest number in the file plus one, and c1 if there is none",
        points=1,
        lesson='m2_3_container_ids, "Task"',
        hints=(
            "Records are removed, and the order of lines means nothing. Which number has never been given out?",
            "max(numbers, default=0) + 1. And a file that does not exist holds no numbers.",
        ),
    ),
    Requirement(
        key="numbers",
        name="c10 is higher than c9",
        points=1,
        lesson='m2_3_container_ids, "Task"',
        hints=("Text is compared letter by letter. What has to be done with the digits first?", "int(text[1:])"),
    ),
    Requirement(
        key="junk",
        name="lines that are no records are passed over, and blanks around an id do not matter",
        points=1,
        lesson='m2_3_container_ids, "Task"',
        hints=(
            "What does your function do with a line that has no |, or with bytes that are no text?",
            r'Open the file with errors="replace", and match each line with r"\s*c([0-9]+)\s*\|".',
        ),
    ),
    Requirement(
        key="appends",
        name="allocate appends one line, its id and its pid, and changes no other byte",
        points=1,
        lesson='m2_3_container_ids, "The same in mdock, and in C"',
        hints=('open(db, "a") keeps what is there; the line is f"{id}|{os.getpid()}\\n".',),
    ),
    Requirement(
        key="waits",
        name="allocate waits while another process holds the lock",
        points=1,
        lesson='m2_3_container_ids, "flock makes it one step"',
        hints=(
            "All programs that use the file have agreed on one lock. Which file is it on, and which call takes it?",
            'lock = os.open(db + ".lock", os.O_RDWR | os.O_CREAT, 0o666); fcntl.flock(lock, fcntl.LOCK_EX)',
        ),
    ),
    Requirement(
        key="reads",
        name="it reads when it has the lock, not before",
        points=1,
        lesson='m2_3_container_ids, "flock makes it one step"',
        hints=("What may have happened to the file while you waited?", "Call next_id(db) below flock, not above."),
    ),
    Requirement(
        key="releases",
        name="the lock is given back when allocate returns",
        points=1,
        lesson='m2_3_container_ids, "flock makes it one step"',
        hints=(
            "The kernel gives a lock back when the process ends. Yours lives on after allocate.",
            "os.close(lock) in a finally; a lock goes with the last descriptor of its open file.",
        ),
    ),
    Requirement(
        key="many",
        name="50 processes at once, all forked by one that has allocated before: 50 ids, 50 lines",
        points=1,
        lesson='m2_3_container_ids, "flock makes it one step"',
        hints=(
            "A lock belongs to the open file. Which processes share one?",
            "Open the lock file inside allocate, each time: what was opened before fork is one lock for all.",
        ),
    ),
)

# Children that allocate, and a parent that sees how far they are: words come through a pipe (what Python's audit
# hooks tell of locks, PEP 578; the end), and /proc/locks says who waits.
PROCESSES = r"""
import fcntl, json, os, select, signal, sys, time

class Workers:
    def __init__(self):
        self.words, self.said = high_pipe()
        self.life, self.alive = high_pipe()
        self.all, self.rest = {}, b""

    def start(self, work, at_start=None, watch=None):
        "A child that works, tells, and lives on until the end of all."
        pid = os.fork()
        if pid:
            self.all[pid] = {"pid": pid, "done": None, "locks": [], "paused": False}
            return self.all[pid]
        try:
            os.close(self.alive)
            self._hear()
            if at_start is not None:
                os.read(at_start, 1)
            if watch is not None:
                sys.setprofile(watch(self))
            self.tell(done=attempt(work))
            os.read(self.life, 1)
        finally:
            os._exit(0)

    def tell(self, **words):
        os.write(self.said, json.dumps({"pid": os.getpid(), **words}).encode() + b"\n")

    def _hear(self):
        left = [6]
        def audit(event, arguments):
            if event in ("fcntl.flock", "fcntl.lockf") and left[0]:
                left[0] -= 1
                where = os.readlink(f"/proc/self/fd/{int(arguments[0])}")
                self.tell(lock=[event[6:], os.path.basename(where), int(arguments[1])])
            elif event == "open" and isinstance(arguments[2], int) and arguments[2] & os.O_EXCL and left[0]:
                left[0] -= 1
                self.tell(lock=["O_EXCL", os.path.basename(os.fsdecode(arguments[0])), 0])
        sys.addaudithook(audit)

    def until(self, holds, patience):
        "Wait for it, that many seconds at most."
        deadline = time.monotonic() + patience
        while not holds():
            if time.monotonic() > deadline:
                return False
            if select.select([self.words], [], [], 0.01)[0]:
                self._take(os.read(self.words, 65536))
        return True

    def _take(self, data):
        *lines, self.rest = (self.rest + data).split(b"\n")
        for line in lines:
            words = json.loads(line)
            one = self.all[words["pid"]]
            if "lock" in words:
                one["locks"].append(words["lock"])
            else:
                one.update(words)

    def waiting(self):
        "The pids of those that wait in flock, as the kernel says (proc_locks(5))."
        try:
            with open("/proc/locks") as file:
                return {int(line.split()[-4]) for line in file if "->" in line}
        except (OSError, ValueError):
            return set()

    def waits(self, one, waiting=None):
        "In flock; or it has asked so often without waiting that it waits all the same."
        asked = [lock for lock in one["locks"] if lock[2] & fcntl.LOCK_NB or lock[0] == "O_EXCL"]
        return len(asked) > 3 or one["pid"] in (self.waiting() if waiting is None else waiting)

    def settled(self, one):
        "Done, or waiting for a lock. Where /proc/locks is closed to us, who is not done in a second waits."
        patience = 6 if os.access("/proc/locks", os.R_OK) else 1
        self.until(lambda: one["done"] or one["paused"] or self.waits(one), patience)
        return one["done"]

    def end(self):
        os.close(self.alive)
        for pid in self.all:
            if not self.all[pid]["done"]:
                os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)

def high_pipe():
    "Out of the way of whoever closes what they did not open."
    low = os.pipe()
    high = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 300) for fd in low]
    for fd in low:
        os.close(fd)
    return high

def attempt(work):
    try:
        made = work()
        return ["returned", made if isinstance(made, str) else repr(made)[:100], type(made).__name__]
    except BaseException as error:
        return ["raised", f"{type(error).__name__}: {error}"[:200], ""]

def write(path, text):
    with open(path, "wb") as file:
        file.write(text.encode("latin-1"))

def read(path):
    try:
        with open(path, "rb") as file:
            return file.read(1 << 16).decode("latin-1")
    except OSError:
        return None
"""
_LOOKING = """
__value__ = []
for number, text in enumerate(texts):
    db = f"table{number}"
    if text is not None:
        write(db, text)
    made = attempt(lambda: next_id(db))
    sys.stdout.flush()
    __value__.append([*made, read(db) == text])
"""
_APPENDING = """
workers = Workers()
made = []
for number, text in enumerate(texts):
    if text is not None:
        write(f"table{number}", text)
    one = workers.start(lambda: allocate(f"table{number}"))
    workers.settled(one)
    made.append([one["done"], one["pid"], read(f"table{number}")])
workers.end()
__value__ = made
"""
# We hold the lock: does it wait? We take an id, give the lock back: does it know of it? It lives on: may another?
_WAITING = """
workers = Workers()
write("table", text)
ours = os.open("table.lock", os.O_RDWR | os.O_CREAT, 0o666)
fcntl.flock(ours, fcntl.LOCK_EX)
one = workers.start(lambda: allocate("table"))
early = workers.settled(one)
with open("table", "a") as file:
    file.write(taken)
fcntl.flock(ours, fcntl.LOCK_UN)  # the child has a copy of our descriptor: closing ours would give nothing back
workers.until(lambda: one["done"], 4)
other = workers.start(lambda: [allocate("table"), allocate("table")][1])
if one["done"] and not early:
    workers.settled(other)
__value__ = [early, one["done"], other["done"], one["locks"]]
workers.end()
"""
# The process that forks has called allocate once, under a profile function that finds the last moment at which the
# table was as before. The first of the 50 stops at that very moment until another is through or all others wait.
_MANY = """
def state():
    try:
        found = os.stat("table")
        return found.st_ino, found.st_size
    except OSError:
        return None

def moment(frame, event, argument):
    called = getattr(argument, "__name__", "") if event[:2] == "c_" else ""
    return event, frame.f_code.co_name, frame.f_lineno, called

def recorder():
    def profile(frame, event, argument):
        if state() == before:
            seen.append(moment(frame, event, argument))
    before, seen = state(), []
    sys.setprofile(profile)
    return seen

def pauser(gate):
    def watch(workers):
        left = [seen.count(last)]
        def profile(frame, event, argument):
            if moment(frame, event, argument) == last:
                left[0] -= 1
                if left[0] == 0:
                    sys.setprofile(None)
                    workers.tell(paused=True)
                    os.read(gate, 1)
        return profile
    return watch

def enough():
    waiting = workers.waiting()
    return any(one["done"] for one in others) or all(workers.waits(one, waiting) for one in others)

write("table", text)
seen = recorder()
first = attempt(lambda: allocate("table"))
sys.setprofile(None)
last = seen[-1] if seen else None
workers = Workers()
gate, opened = os.pipe()
start, started = os.pipe()
slow = workers.start(lambda: allocate("table"), watch=pauser(gate))
workers.settled(slow)
others = [workers.start(lambda: allocate("table"), at_start=start) for _ in range(many - 1)]
os.write(started, b"x" * len(others))
if slow["paused"]:
    workers.until(enough, 4)
os.write(opened, b"x")
workers.until(lambda: all(one["done"] for one in (slow, *others)), 8)
__value__ = [first, [one["done"] for one in (slow, *others)], read("table")]
workers.end()
"""


def scenario(steps: str) -> str:
    """The helpers above, then these steps."""
    return PROCESSES + steps


def judge(bench: Bench) -> None:
    """Three stories: what next_id makes of a file; one process and the lock; fifty at once."""
    _looking(bench)
    _appending(bench)
    _waiting(bench)
    _many(bench)


def _played(bench: Bench, steps: str, *, watch: bool = False, **values: object) -> tuple[Any, SandboxResult]:
    """What the scenario brings back, and all that was seen; if it did not come to its end, judging ends."""
    result = bench.play(scenario(steps), values=values, timeout=20, watch=watch, trace=watch)
    value = ev.seen_value(result)
    if value is None:
        key = next(key for key in bench.requirements if key not in bench.judged)
        bench.fail(key, expected="your function comes back", seen=ev.raised(result) or result.verdict)
    return value, result


def _record(number: int, blanks: str = "") -> str:
    return f"{blanks}c{number}{blanks}|{random.randrange(1000, 9000)}|demo|exited|2026-01-01T10:00:00||0\n"


def _looking(bench: Bench) -> None:
    top, tens = random.randrange(5, 9), random.choice((10, 100, 1000))
    junk = [
        "# c9000 is no id\n", "\n", "   \n", "c|1|demo\n", f"c{top}x|7|demo\n", "|c800|demo\n", "x77|1|demo\n",
        "c\xb2|1|demo\n", "\xff\xfe\x00 no text\n", "no record at all\n", "image c70|/srv|now\n", "-3|demo\n",
    ]  # fmt: skip
    random.shuffle(junk)
    mixed = [*junk, _record(2), _record(top, "  "), _record(1)]
    cases = [
        ("highest", "a missing file", None, 1),
        ("highest", "an empty file", "", 1),
        ("highest", f"c1, c2, c{top}", "".join(map(_record, (1, 2, top))), top + 1),
        ("highest", f"c{top}, c3, in this order", _record(top) + _record(3), top + 1),
        ("numbers", f"c{tens - 1}, c{tens}", _record(tens - 1) + _record(tens), tens + 1),
        ("numbers", f"c{tens}, c9, c{tens - 2}", "".join(map(_record, (tens, 9, tens - 2))), tens + 1),
        ("junk", f"c2, c{top}, c1 among lines that are no records", "".join(mixed), top + 1),
        ("junk", "no record among other lines", "".join(junk), 1),
    ]
    seen, _ = _played(bench, _LOOKING, texts=[text for _, _, text, _ in cases])
    evidence = {
        "highest": f"c{top + 1} after c{top}, and c1 in an empty file",
        "numbers": f"c{tens + 1} after c{tens}",
        "junk": f"{len(junk)} lines passed over",
    }
    for wanted, words in evidence.items():
        for (key, name, text, number), one in zip(cases, seen, strict=True):
            if key == wanted:
                _looked(bench, key, name, text, number, one)
        bench.hold(wanted, seen=words, by="effects")


def _looked(bench: Bench, key: str, name: str, text: str | None, number: int, seen: list[Any]) -> None:
    """One file, and what next_id made of it."""
    said, word, kind, untouched = seen
    if (said, word, kind, untouched) != ("returned", f"c{number}", "str", True):
        words = f"next_id {said} {word}" if untouched else "next_id changed the file"
        looks_like = _misread(key, said, word, text)
        bench.fail(key, expected=f"c{number} for {name}", seen=words, looks_like=looks_like, by="effects")


def _misread(key: str, said: str, word: str, text: str | None) -> str:
    """Which rule gives this answer?"""
    lines = (text or "").count("\n")
    if said == "raised" and key == "highest":
        return "a missing or empty file taken for an error. Before the first container there is nothing." * (not lines)
    if said == "raised" and word.startswith("Unicode"):
        return (
            "a file taken for text in one encoding. Another program may write any bytes, and no id comes out any more."
        )
    if said == "raised":
        return "every line taken for a record. One bad line, and no id is given out any more."
    if word.isdigit():
        return "a number; an id is text, a c before the digits."
    if key == "highest" and word == f"c{lines + 1}":
        return "lines counted. A removed record makes the count smaller, and the id that comes out exists."
    if key == "highest" and word in ("c1", "c3"):
        return "a gap taken for a free id. c3 has existed; its log may still be quoted somewhere."
    if key == "highest" and lines == 2 and word == "c4":
        return "the last line taken for the highest."
    if key == "numbers":
        return "ids compared as text: c9 comes after c10 there, because 9 comes after 1."
    return _misread_junk(word, text or "") if key == "junk" else ""


def _misread_junk(word: str, text: str) -> str:
    if word == "c3":
        return "a record with blanks around its id passed over. Programs differ in how they write; the id is the same."
    if word == "c1" and " |" in text:
        return "the first bad line taken for the end of the file."
    return "something that is no record was counted. An id stands at the beginning of its line, and a | behind it."


def _appending(bench: Bench) -> None:
    top = random.randrange(20, 90)
    before = _record(3) + "\xff\xfe no text |\n" + "\n" + _record(top) + "c5 and no record\n"
    seen, _ = _played(bench, _APPENDING, texts=[None, before])
    for text, number, (done, pid, after) in zip(("", before), (1, top + 1), seen, strict=True):
        line = f"c{number}|{pid}\n"
        if done != ["returned", f"c{number}", "str"]:
            bench.fail("appends", expected=f'allocate returns "c{number}"', seen=_said(done), by="effects")
        if after != text + line:
            bench.fail(
                "appends",
                expected=f"the line {line!r} at the end, all else byte for byte as before",
                seen=_changed(text, after),
                looks_like=_mangled(text, after),
                by="effects",
            )
    bench.hold("appends", seen=f"c{top + 1}|{seen[1][1]}", by="effects")


def _said(done: Any) -> str:
    return f"allocate {done[0]} {done[1]}" if done else "allocate did not come back, though nobody held the lock"


def _mangled(before: str, after: str | None) -> str:
    if after in (None, before):
        return "an id returned and not written down: the next one who asks gets it again."
    if not str(after).startswith(before):
        return "the table written anew from what was understood of it. Lines of others are lost."
    return "" if str(after).endswith("\n") else "a line without its end: the next record will stand on the same line."


def _changed(before: str, after: str | None) -> str:
    if after is None:
        return "the file is missing"
    if after.startswith(before):
        return f"the end is {after[len(before) :][:80]!r}"
    return f"{len(before.splitlines())} lines became {len(after.splitlines())}, and the old ones are not as they were"


def _waiting(bench: Bench) -> None:
    top, gap = random.randrange(20, 90), random.randrange(2, 9)
    values = {"text": _record(top), "taken": _record(top + gap)}
    (early, done, other, locks), result = _played(bench, _WAITING, watch=True, **values)
    calls = [call for call in result.calls if call.name == "flock" and call.pid != result.parent.pid]
    if early:
        bench.fail(
            "waits",
            expected="nothing is allocated while another process holds flock on table.lock",
            seen=f"{_said(early)} meanwhile" + (f"; it locked {locks[0][1]}, with {locks[0][0]}" if locks else ""),
            looks_like=_no_lock(locks),
        )
    if not done:
        bench.fail(
            "waits",
            expected="allocate goes on when the lock has been given back",
            seen="it still waited 4 s later",
            looks_like="a file whose existence is the lock. Left behind by a process that died, it locks for ever."
            if any(lock[0] == "O_EXCL" for lock in locks)
            else "",
        )
    seen = f"{calls[0]}, which came back when the lock was given back" if calls else "it waited for the lock"
    bench.hold("waits", seen=seen, by="kernel" if calls else "effects")
    if done != ["returned", f"c{top + gap + 1}", "str"]:
        stale = done[1] == f"c{top + 1}"
        bench.fail(
            "reads",
            expected=f"c{top + gap + 1}: c{top + gap} was taken by the process that held the lock",
            seen=_said(done),
            looks_like="read, then locked: what was read is out of date when the lock is there." if stale else "",
        )
    bench.hold("reads", seen=f"c{top + gap + 1}, after c{top + gap} had been taken")
    if other != ["returned", f"c{top + gap + 3}", "str"]:
        bench.fail(
            "releases",
            expected="another process gets two more ids, one after the other, while the first lives on",
            seen="it waits for ever" if not other else _said(other),
            looks_like="a lock that is kept. It is given back with the last descriptor of its open file, or by LOCK_UN."
            if not other
            else "",
        )
    bench.hold("releases", seen="another process got the lock while the first lived on")


def _no_lock(locks: list[list[Any]]) -> str:
    """What was locked instead?"""
    if not locks:
        return "read-then-write taken for one step. Whoever holds the lock has to be waited for."
    how, where, operation = locks[0]
    if how == "lockf":
        return "lockf taken for flock: two kinds of lock that do not see each other (flock(2))."
    if how == "O_EXCL":
        return "a lock of your own invention. The other programs hold flock on the lock file."
    if where == "table":
        return "a lock on the table itself. The others lock table.lock; and rename leaves such a lock behind."
    if where != "table.lock":
        return "a lock on another file. A lock protects among those who lock the same one."
    if operation & 1:  # LOCK_SH
        return "LOCK_SH: readers share it, so two that want to write get it together."
    return "LOCK_NB asks and does not wait; its answer was not heeded."


def _many(bench: Bench) -> None:
    """One of them is stopped between its reading and its writing, each time."""
    top = random.randrange(8, 90)
    (first, done, text), _ = _played(bench, _MANY, text=_record(top), many=MANY)
    wanted = {f"c{number}" for number in range(top + 1, top + MANY + 2)}
    ids = [one[1] for one in (first, *done) if one and one[0] == "returned"]
    lines = [line.partition("|")[0] for line in (text or "").splitlines()[1:]]
    if set(ids) == wanted == set(lines) and len(ids) == len(lines) == MANY + 1:
        bench.hold("many", seen=f"{MANY + 1} different ids, {MANY + 1} lines", by="effects")
        return
    failed = next((one for one in (first, *done) if not one or one[0] != "returned"), None)
    twice = len(ids) - len(set(ids))
    seen = f"{len(set(ids))} different ids in {len(ids)} answers, {len(set(lines))} in {len(lines)} lines"
    if len(ids) <= MANY:
        seen += f"; {_said(failed)}" if failed else "; some never came back"
    bench.fail(
        "many",
        expected=f"{MANY} different ids, and as many lines",
        seen=seen,
        looks_like="a lock file opened before fork: one open file, so one lock, and all of them hold it."
        if twice
        else "",
        by="effects",
    )


EXERCISE = Exercise(
    slug="m2_3_container_ids",
    title="next_id(db) and allocate(db): unique under any number of processes",
    functions=("next_id", "allocate"),
    requirements=REQUIREMENTS,
    judge=judge,
)
