"""What the sandbox runs for the hidden requirements of M2.5."""

from __future__ import annotations

import os
import re
import resource
import time
from collections.abc import Iterator
from random import SystemRandom

from udock_lab.grading.exercises.m2_5_image_lookup.scenes import Searchers, written
from udock_lab.grading.tables import a_word
from udock_lab.grading.workers import Load
from udock_lab.linux.capabilities import drop_capabilities

__all__ = ["COUNT", "large", "path_of", "unreadable"]

COUNT = 300_000
# RLIMIT_DATA counts what a process has for itself (setrlimit(2)); a file that is mapped to be read does not count.
# There is room for a thread and its stack (8 MiB), not for the table (25 MB).
ROOM = 18 << 20
_USED = 2  # CPUCLOCK_SCHED: what all threads of a process have used
_LONGEST = 15.0  # seconds for one search, on a quiet machine


def path_of(number: int, secret: str) -> str:
    """Return the path of an image of the large table."""
    return f"/images/{number}/rootfs-of-an-image-with-a-{secret}"


def large(load: Load, *, name: str) -> dict[str, object]:
    """Search 300,000 images for two on whose lines pieces of any usual size end, and for the last one.

    ``seconds`` is the processor time of the three; ``loop`` that of a loop that does nothing but split each line.
    ``limited``: whether the limit on memory was there to the end. ``secret``: what stands in all paths, drawn when the
    answer is there.
    """
    searcher = Searchers(load, seconds=_LONGEST, alone=True)
    secret = a_word(9, SystemRandom())
    db = _large_table(name, secret)
    crossing = [_image_at(db, offset) for offset in (1 << 20, 3_000_000)]
    small = written("small", b"a|/b|c\n")
    searcher.ask(small, "a")  # what it imports or makes once does not count
    limit = _limit_memory(searcher.pid)
    before = _processor_time(searcher.pid)
    told = []
    for one in [*(f"image-{number}" for number in crossing), name]:
        told.append(searcher.ask(db, one))
        if told[-1]["how"] in ("late", "ended"):
            break
    seconds, limited = _processor_time(searcher.pid) - before, _limit(searcher.pid) == limit
    searcher.end()
    start = time.process_time()
    with open(db, "rb") as file:
        for line in file:
            line.split(b"|")
    loop = time.process_time() - start
    os.unlink(db)
    seen = {"crossing": crossing, "secret": secret, "said": told, "seconds": seconds}
    return seen | {"limited": limited, "loop": loop}


def _large_table(name: str, secret: str) -> str:
    def pieces() -> Iterator[str]:
        for start in range(0, COUNT, 10_000):
            yield "".join(f"image-{n}|{path_of(n, secret)}|2026-01-01T00:00:00\n" for n in range(start, start + 10_000))
        yield f"{name}|{path_of(COUNT, secret)}|2026-01-01T00:00:00\n"

    with open("large.db", "w") as file:
        file.writelines(pieces())
    return f"{os.getcwd()}/large.db"


def _image_at(db: str, offset: int) -> int:
    """Return the number of the image whose line goes on at this byte."""
    with open(db, "rb") as file:
        file.seek(offset - 300)
        begun = file.read(300).rpartition(b"\n")[2]
        return int((begun + file.readline()).split(b"|")[0].removeprefix(b"image-"))


def _limit_memory(pid: int) -> tuple[int, int] | None:
    with open(f"/proc/{pid}/status") as file:
        found = re.search(r"VmData:\s*(\d+) kB", file.read())
    if found is None:  # it has ended
        return None
    most = (int(found[1]) << 10) + ROOM
    resource.prlimit(pid, resource.RLIMIT_DATA, (most, most))
    return most, most


def _limit(pid: int) -> tuple[int, int] | None:
    try:
        return resource.prlimit(pid, resource.RLIMIT_DATA)
    except OSError:
        return None


def _processor_time(pid: int) -> float:
    """Return what a process has used; of one that has ended nothing (its clock as clock_getcpuclockid(3) makes it)."""
    try:
        return time.clock_gettime(~pid << 3 | _USED)
    except OSError:
        return 0.0


def unreadable(load: Load, *, name: str) -> list[dict[str, object]]:
    """Ask for a folder, a closed file, a file in a closed folder; modes hold for whoever has no capability."""
    searchers = Searchers(load, before=drop_capabilities)
    os.mkdir("a folder")
    os.mkdir("closed")
    record = f"{name}|/images/1|2026-01-01T00:00:00\n".encode()
    inside, closed = written("closed/images.db", record), written("unreadable", record)
    for one in ("closed", closed):
        os.chmod(one, 0)
    told = [searchers.ask(db, name) for db in (f"{os.getcwd()}/a folder", closed, inside)]
    os.chmod("closed", 0o755)
    searchers.end()
    return told
