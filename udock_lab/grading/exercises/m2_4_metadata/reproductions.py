"""M2.4: the smallest program in which each requirement is seen to fail."""

from __future__ import annotations

from collections.abc import Callable

from udock_lab.grading.reproduction import reproduces

__all__ = ["REPRODUCTIONS"]

Save = Callable[[str, object], None]
Update = Callable[[str, str, str, float, int], None]
_ZONE = "CET-1CEST,M3.5.0,M10.5.0/3"
_RUNNING = b"c7|4711|demo|running|2026-01-01T11:15:00||\n"
_ENDED = b"c7|4711|demo|exited|2026-01-01T11:15:00|2026-01-01T11:15:59|42\n"


@reproduces("saves", right="b'c7|4711|demo|running|2026-01-01T10:15:00||\\n'")
def saves(save: Save) -> None:
    import os
    import time
    from pathlib import Path

    from udock_lab.grading import ContainerRecord

    os.environ["TZ"] = "UTC"
    time.tzset()
    save("containers.db", ContainerRecord(id="c7", pid=4711, image="demo", start_time=1767262500.25))
    print(Path("containers.db").read_bytes())


@reproduces(
    "times",
    right="{time}",
    wanted={"time": "2025-07-01T14:00:00"},
    tries=(
        {"start": 1767262500.25, "time": "2026-01-01T11:15:00"},
        {"start": 1751407199.999999, "time": "2025-07-01T23:59:59"},
    ),
)
def times(save: Save, *, zone: str = _ZONE, start: float = 1751371200.75) -> None:
    import os
    import time
    from pathlib import Path

    from udock_lab.grading import ContainerRecord

    os.environ["TZ"] = zone  # where the clock on the wall hangs
    time.tzset()
    save("containers.db", ContainerRecord(id="c7", pid=4711, image="demo", start_time=start))
    print(Path("containers.db").read_text().split("|")[4].strip("\n"))


@reproduces(
    "keeps",
    right="all that was there stays: True\nbehind it: {line}",
    wanted={"line": b"\nc7|4711|demo|running|2026-01-01T10:15:00||\n"},
    tries=(
        {"old": b"c1|1|demo|running|2026-01-01T10:00:00||", "line": b"\nc7|4711|demo|running|2026-01-01T10:15:00||\n"},
        {"old": b"", "line": b"c7|4711|demo|running|2026-01-01T10:15:00||\n"},
        {
            "old": b"\n\xff\xfe\x00 no text |\nx\r\n  \nc7|1|demo|running|2026-01-01T00:00:00||\n",
            "line": b"c7|4711|demo|running|2026-01-01T10:15:00||\n",
        },
    ),
)
def keeps(save: Save, *, old: bytes = b"c7|47") -> None:
    import os
    import time
    from pathlib import Path

    from udock_lab.grading import ContainerRecord

    os.environ["TZ"] = "UTC"
    time.tzset()
    table = Path("containers.db")
    table.write_bytes(old)
    save("containers.db", ContainerRecord(id="c7", pid=4711, image="demo", start_time=1767262500.25))
    now = table.read_bytes()
    print("all that was there stays:", now.startswith(old) or now)
    print("behind it:", now[len(old) :])


@reproduces(
    "finishes",
    right="only the record of c7 changed, and is complete: True",
    tries=(
        {"lines": [b"c70|1|c7|running|2026-01-01T11:00:00||\n", _RUNNING, b"c17|2|c7|running|2026-01-01T11:20:00||\n"]},
        {
            "lines": [
                b"c6|1|c7|running|2026-01-01T11:00:00||\n",
                _RUNNING,
                b"c8|4711|demo|running|2026-01-01T11:15:00||\n",
            ]
        },
        {"code": 0, "ended": b"c7|4711|demo|exited|2026-01-01T11:15:00|2026-01-01T11:15:59|0\n"},
    ),
)
def finishes(update: Update, *, lines: list[bytes] = [_RUNNING], code: int = 42, ended: bytes = _ENDED) -> None:
    import os
    import time
    from pathlib import Path

    os.environ["TZ"] = "CET-1CEST,M3.5.0,M10.5.0/3"
    time.tzset()
    table = Path("containers.db")
    table.write_bytes(b"".join(lines))
    update("containers.db", "c7", "exited", 1767262559.75, code)
    wanted = b"".join(ended if line.startswith(b"c7|") else line for line in lines)
    print("only the record of c7 changed, and is complete:", table.read_bytes() == wanted or table.read_bytes())


@reproduces(
    "others",
    right="only the record of c7 changed: True",
    tries=(
        {"lines": [b"\xff\xfe\x00 no text c7|\n", _RUNNING]},
        {"lines": [_RUNNING, b"c7|9|no newline"]},
        {"lines": [b"c7|4711|demo|running|2026-01-01T11:15:00\n", _RUNNING, b"c7|1|demo|running|x|||more\n"]},
        {"lines": [b"in \x0cone\r line \xe2\x80\xa8 \x1c only\n", b"\n", b"  \n", b"x\r\n", _RUNNING, b"||||||\n"]},
    ),
    shrinks="lines",
)
def others(update: Update, *, lines: list[bytes] = [b"c6|1|demo|running|2026-01-01T11:00:00||\n", _RUNNING]) -> None:
    import os
    import time
    from pathlib import Path

    os.environ["TZ"] = "CET-1CEST,M3.5.0,M10.5.0/3"
    time.tzset()
    table = Path("containers.db")
    table.write_bytes(b"".join(lines))
    update("containers.db", "c7", "exited", 1767262559.75, 42)
    record = b"c7|4711|demo|running|2026-01-01T11:15:00||\n"
    ended = b"c7|4711|demo|exited|2026-01-01T11:15:00|2026-01-01T11:15:59|42\n"
    wanted = b"".join(ended if line == record else line for line in lines)
    print("only the record of c7 changed:", table.read_bytes() == wanted or table.read_bytes())


@reproduces(
    "whole",
    right="a reader finds the old table or the new one: True\nwho has the old one open reads it to its end: True",
    tries=({"phase": 1}, {"phase": 1, "torn": b"c98|17|torn"}),
)
def whole(save: Save, update: Update, *, phase: int = 2, torn: bytes = b"") -> None:
    import sys
    from pathlib import Path
    from typing import Any

    from udock_lab.grading import ContainerRecord

    old = b"".join(b"c%d|4711|demo|running|2026-01-01T11:15:00||\n" % n for n in range(10, 60)) + torn
    table, tables = Path("containers.db"), []
    table.write_bytes(old)
    reader = table.open("rb", buffering=0)

    def look(*_: Any) -> Any:  # called before each line of Python that runs (sys.settrace)
        try:
            tables.append(table.read_bytes())
        except FileNotFoundError:
            tables.append(b"no table")
        return look

    sys.settrace(look)
    if phase == 1:
        save("containers.db", ContainerRecord(id="c99", pid=4711, image="demo", start_time=1767262500.25))
    else:
        update("containers.db", "c30", "exited", 1767262559.75, 42)
    sys.settrace(None)
    new = table.read_bytes()
    mixed = [len(one) for one in tables if one not in (old, new)]
    print("a reader finds the old table or the new one:", not mixed or f"no, one of {mixed[0]} bytes")
    print("who has the old one open reads it to its end:", phase == 1 or reader.read() == old)


@reproduces(
    "beside",
    right="files are made in the table's folder: True\nleft there: ['containers.db']",
    tries=({"folder": "."}, {"phase": 1}),
)
def beside(save: Save, update: Update, *, folder: str = "home", phase: int = 2) -> None:
    import os
    import sys
    from pathlib import Path

    from udock_lab.grading import ContainerRecord

    os.makedirs(folder, exist_ok=True)
    db = "containers.db" if folder == "." else f"{folder}/containers.db"
    Path(db).write_bytes(b"c7|4711|demo|running|2026-01-01T11:15:00||\n")
    made, home = set(), os.path.abspath(folder)

    def note(event: str, details: tuple[object, ...]) -> None:  # Python says what it opens (sys.addaudithook)
        if event == "open" and isinstance(details[0], str) and int(str(details[2])) & os.O_CREAT:
            made.add(os.path.dirname(os.path.abspath(details[0])))

    sys.addaudithook(note)
    if phase == 1:
        save(db, ContainerRecord(id="c99", pid=4711, image="demo", start_time=1767262500.25))
    else:
        update(db, "c7", "exited", 1767262559.75, 42)
    print("files are made in the table's folder:", made <= {home} or made)
    print("left there:", sorted(name for name in os.listdir(folder) if "lock" not in name))


@reproduces(
    "refuses",
    right="it raised an error that fits: True\nthe table is as it was: True",
    tries=(
        {"container": "c"},
        {"container": "c3"},
        {"container": "c81"},
        {"container": "demo"},
        {"room": 1300},
        {"room": 2600},
    ),
)
def refuses(update: Update, *, container: str = "c307", room: int = 0) -> None:
    import resource
    from pathlib import Path

    old = b"".join(b"c%d|4711|demo|running|2026-01-01T11:15:00||\n" % n for n in range(10, 70))
    old += b"c81|17|torn\n"
    Path("containers.db").write_bytes(old)
    if room:  # a disk on which no file can be longer
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
    raised: BaseException | None = None
    try:
        update("containers.db", "c30" if room else container, "exited", 1767262559.75, 42)
    except Exception as error:
        raised = error
    fits = isinstance(raised, Exception if room else LookupError)
    print("it raised an error that fits:", fits or repr(raised))
    print("the table is as it was:", Path("containers.db").read_bytes() == old)


REPRODUCTIONS = (saves, times, keeps, finishes, others, whole, beside, refuses)
