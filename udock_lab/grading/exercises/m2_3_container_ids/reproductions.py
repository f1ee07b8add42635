"""M2.3: the smallest program in which each requirement is seen to fail."""

from __future__ import annotations

from collections.abc import Callable

from udock_lab.grading.reproduction import reproduces

__all__ = ["REPRODUCTIONS"]

OnTable = Callable[[str], str]
_SEVEN = b"c7|4711|demo|exited|2026-01-01T10:00:00|2026-01-01T10:00:01|0\n"
_EIGHT = b"c8|4712|demo|exited|2026-01-01T10:00:00|2026-01-01T10:00:01|0\n"


@reproduces(
    "highest",
    right="{id}\nthe file is as it was: True",
    wanted={"id": "c9"},
    tries=(
        {"lines": None, "id": "c1"},
        {"lines": [], "id": "c1"},
        {"lines": [_EIGHT, _SEVEN]},
        {"lines": [b"c1|1|" + b"x" * 200_000 + b"\n", _EIGHT]},
    ),
    shrinks="lines",
)
def highest(next_id: OnTable, *, lines: list[bytes] | None = [_SEVEN, _EIGHT]) -> None:
    from pathlib import Path

    table = Path("containers.db")
    if lines is not None:
        table.write_bytes(b"".join(lines))
    print(next_id("containers.db"))
    now = table.read_bytes() if table.exists() else None
    print("the file is as it was:", now == (None if lines is None else b"".join(lines)))


@reproduces(
    "numbers", right="{id}", wanted={"id": "c11"}, tries=({"lines": [b"c100|1|demo\n", b"c99|1|demo\n"], "id": "c101"},)
)
def numbers(next_id: OnTable, *, lines: list[bytes] = [b"c9|4711|demo\n", b"c10|4712|demo\n"]) -> None:
    from pathlib import Path

    Path("containers.db").write_bytes(b"".join(lines))
    print(next_id("containers.db"))


@reproduces(
    "junk",
    right="{id}",
    wanted={"id": "c8"},
    tries=(
        {"lines": [b"c2|17|demo\n", b"c7|17|de"], "id": "c8"},
        {"lines": [b"  c7  |17|demo\n"], "id": "c8"},
        {"lines": [b"\xff\xfe no text\n"], "id": "c1"},
        {"lines": [b"image c1810|/srv|now\n", b"x77|c1812|demo\n", b"|c1813|demo\n"], "id": "c1"},
        {"lines": [b"C815|1|demo\n", b"816|1|demo\n", b"x817|1|demo\n", b"c818 is no record\n"], "id": "c1"},
        {"lines": [b"c1_906|17|demo\n", b"c 1904|17|demo\n", b"c+1905|17|demo\n"], "id": "c1"},
        {"lines": [b"c820\n", b"|17|demo\n"], "id": "c1"},
        {"lines": [b"c8\xff30|17|demo\n", "c\u0668\u0664\u0660|17|demo\n".encode(), b"c\xb2|1|demo\n"], "id": "c1"},
    ),
    shrinks="lines",
)
def junk(next_id: OnTable, *, lines: list[bytes] = [b"\n", b"c|1|demo\n", b"no record\n", _SEVEN]) -> None:
    from pathlib import Path

    Path("containers.db").write_bytes(b"".join(lines))
    print(next_id("containers.db"))


@reproduces(
    "appends",
    right="allocate returned {wanted}\nall that was there stays: True\nthe line is as it should be: True",
    tries=(
        {"lines": None, "wanted": "c1"},
        {"lines": [b"\xff\xfe no text |\n", b"\n", b"a line of Windows\r\n", b"x\ry \xe2\x80\xa8\n", _SEVEN]},
    ),
)
def appends(allocate: OnTable, *, lines: list[bytes] | None = [_SEVEN], wanted: str = "c8") -> None:
    import os
    from pathlib import Path

    before, table = b"".join(lines or []), Path("containers.db")
    if lines is not None:
        table.write_bytes(before)
    print("allocate returned", allocate("containers.db"))
    after = table.read_bytes()
    print("all that was there stays:", after.startswith(before) or after)
    line = f"{wanted}|{os.getpid()}\n".encode()
    print("the line is as it should be:", after[len(before) :] == line or after[len(before) :])


@reproduces(
    "waits",
    right="it waited for the lock: True\nthen it went on: True",
    tries=({"kind": "LOCK_SH"}, {"kind": ""}),
)
def waits(allocate: OnTable, *, kind: str = "LOCK_EX") -> None:
    import fcntl
    import os
    import time
    from pathlib import Path

    Path("containers.db").write_bytes(b"c7|4711|demo|running|2026-01-01T10:00:00||\n")
    lock = open("containers.db.lock", "w") if kind else None
    if lock and os.fork() == 0:  # another process has the lock for a second
        fcntl.flock(lock, getattr(fcntl, kind))
        Path("taken").touch()
        time.sleep(1)
        os._exit(0)
    if lock:
        lock.close()
    while lock and not os.path.exists("taken"):
        time.sleep(0.01)
    begin = time.monotonic()
    said = allocate("containers.db")
    print("it waited for the lock:", time.monotonic() - begin > 0.5 or not lock)
    print("then it went on:", said == "c8")


@reproduces("reads", right="c9\nc21", tries=({"begun": b""}, {"begun": None}))
def reads(allocate: OnTable, *, begun: bytes | None = b"c7|4711|demo|running|2026-01-01T10:00:00||\n") -> None:
    import fcntl
    import os
    import time
    from pathlib import Path

    table = Path("containers.db")
    if begun is not None:
        table.write_bytes(begun)
    if os.fork() == 0:  # another process has the lock, and adds a record before it gives it back
        lock = open("containers.db.lock", "w")
        fcntl.flock(lock, fcntl.LOCK_EX)
        Path("taken").touch()
        time.sleep(0.6)
        with table.open("ab") as file:
            file.write(b"c8|4712|demo|running|2026-01-01T10:00:00||\n")
        os._exit(0)
    while not os.path.exists("taken"):
        time.sleep(0.01)
    print(allocate("containers.db"))
    with table.open("ab") as file:
        file.write(b"c20|4713|demo|running|2026-01-01T10:00:00||\n")
    print(allocate("containers.db"))


@reproduces("releases", right="another process got the lock: True")
def releases(allocate: OnTable) -> None:
    import fcntl
    import os
    import time
    from pathlib import Path

    Path("containers.db").touch()
    Path("containers.db.lock").touch()
    allocate("containers.db")
    other = os.fork()
    if other == 0:  # it asks for the lock by itself, as another program does
        with open("containers.db.lock", "r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
        os._exit(0)
    for _ in range(100):
        time.sleep(0.02)
        ended = os.waitpid(other, os.WNOHANG)
        if ended[0]:
            break
    print("another process got the lock:", ended == (other, 0))
    if not ended[0]:
        os.kill(other, 9)


@reproduces(
    "many",
    right="{count} different ids in {count} lines",
    wanted={"count": 21},
    tries=({}, {"processes": 50, "count": 51}),
)
def many(allocate: OnTable, *, processes: int = 20) -> None:
    import os
    from pathlib import Path

    Path("containers.db").touch()
    allocate("containers.db")
    gate, opener = os.pipe()
    for _ in range(processes):
        if os.fork() == 0:
            os.close(opener)
            os.read(gate, 1)  # all begin at once
            try:
                allocate("containers.db")
            finally:
                os._exit(0)
    os.close(opener)
    for _ in range(processes):
        os.wait()
    ids = [line.split(b"|")[0] for line in Path("containers.db").read_bytes().splitlines()]
    print(len(set(ids)), "different ids in", len(ids), "lines")


REPRODUCTIONS = (highest, numbers, junk, appends, waits, reads, releases, many)
