"""What the sandbox runs for the hidden requirements of M2.5."""

from __future__ import annotations

import os
import re
import resource
import time
from collections.abc import Callable, Iterator

from udock_lab.grading.exercises.m2_5_image_lookup.scenes import SECONDS, Find, Tell, asked, written
from udock_lab.grading.inside import said
from udock_lab.linux.capabilities import drop_capabilities

__all__ = ["COUNT", "large", "path_of", "unreadable"]

COUNT = 300_000
# RLIMIT_DATA counts what a process has for itself (setrlimit(2)); a file that is mapped to be read does not count.
# There is room for a thread and its stack (8 MiB), not for the table (25 MB).
ROOM = 18 << 20
_LONGEST = 15.0  # seconds for one search, on a quiet machine


def path_of(number: int) -> str:
    """Return the path of an image of the large table."""
    return f"/images/{number}/rootfs-of-an-image-with-a-long-path"


def large(find: Find, *, name: str, path: str) -> dict[str, object]:
    """Search 300,000 images for two on whose lines pieces of any usual size end, and for the last one.

    ``seconds`` is the processor time of the three; ``loop`` that of a loop that does nothing but split each line.
    """
    db = _large_table(name, path)
    crossing = [_image_at(db, offset) for offset in (1 << 20, 3_000_000)]
    small = written("small", b"a|/b|c\n")

    def ask(tell: Tell) -> None:
        said(find, small, "a")  # what it imports or makes once does not count
        _limit_memory()
        before = _processor_time()
        for number in crossing:
            tell(said(find, db, f"image-{number}"))
        tell(said(find, db, name) | {"seconds": _processor_time() - before})

    told = asked(3, ask, _LONGEST)
    start = time.process_time()
    with open(db, "rb") as file:
        for line in file:
            line.split(b"|")
    os.unlink(db)
    return {"crossing": crossing, "said": told, "loop": time.process_time() - start}


def _large_table(name: str, path: str) -> str:
    def pieces() -> Iterator[str]:
        for start in range(0, COUNT, 10_000):
            yield "".join(f"image-{n}|{path_of(n)}|2026-01-01T00:00:00\n" for n in range(start, start + 10_000))
        yield f"{name}|{path}|2026-01-01T00:00:00\n"

    with open("large.db", "w") as file:
        file.writelines(pieces())
    return f"{os.getcwd()}/large.db"


def _image_at(db: str, offset: int) -> int:
    """Return the number of the image whose line goes on at this byte."""
    with open(db, "rb") as file:
        file.seek(offset - 300)
        begun = file.read(300).rpartition(b"\n")[2]
        return int((begun + file.readline()).split(b"|")[0].removeprefix(b"image-"))


def _limit_memory() -> None:
    with open("/proc/self/status") as file:
        found = re.search(r"VmData:\s*(\d+) kB", file.read())
    assert found is not None
    most = (int(found[1]) << 10) + ROOM
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))


def _processor_time() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def unreadable(find: Find, *, name: str) -> list[dict[str, object]]:
    """Ask for a folder, a closed file, a file in a closed folder; modes hold for whoever has no capability."""
    os.mkdir("a folder")
    os.mkdir("closed")
    record = f"{name}|/images/1|2026-01-01T00:00:00\n".encode()
    inside, closed = written("closed/images.db", record), written("unreadable", record)
    for one in ("closed", closed):
        os.chmod(one, 0)
    drop_capabilities()

    def about(db: str) -> Callable[[Tell], None]:
        return lambda tell: tell(said(find, db, name))

    told = [asked(1, about(db), SECONDS)[0] for db in (f"{os.getcwd()}/a folder", closed, inside)]
    os.chmod("closed", 0o755)
    return told
