"""What commands beside ``run`` take, as multiples of starting an empty Python on the same machine in the same minute.

    python benchmarks/commands.py [ROUNDS]

A figure that a test would assert in seconds means nothing on a busy machine; a ratio within one run does.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from udock_lab import Runtime
from udock_lab.isolation.probe import probe
from udock_lab.runtime.image.rootfs import make_rootfs
from udock_lab.runtime.state import extras, ids
from udock_lab.runtime.state.home import Home
from udock_lab.runtime.state.images import find_image_by_name

TEN = ("ls", "cat", "grep", "sed", "awk", "sort", "find", "tar", "bash", "env")
RECORD = "c{}|4000000|demo|exited|2026-01-02T03:04:05|2026-01-02T03:04:06|0\n"
FILES = {
    "spec": {"image": "demo", "argv": ["/bin/sh", "-c", "exit 42"], "userns": False, "pid": 4_000_000, "host": "vm"},
    "steps": {"reports": [[n, 0, 1, 2] for n in range(5)], "steps": ["subreaper", "chdir", 'chroot("/x")', "chdir"]},
}
IMAGE = "image{}|/|2026-01-02T03:04:05\n"


def main(rounds: int) -> None:
    """Print each command's median over ``rounds``, its seconds and its ratio to the floor measured beside it."""
    with tempfile.TemporaryDirectory() as place:
        for name, command in commands(Path(place)).items():
            pairs = [(seconds(command), seconds(empty_python)) for _ in range(rounds)]
            ratio = statistics.median(ours / floor for ours, floor in pairs)
            own = statistics.median(ours for ours, _ in pairs) * 1000
            print(f"{name:42} {own:9.1f} ms {ratio:8.2f} x an empty Python")


def commands(place: Path) -> dict[str, Callable[[], object]]:
    runtime = Runtime(place / "home")
    runtime.demo()
    numbers = iter(range(1_000_000))

    def lookup() -> object:
        return find_image_by_name(str(place / "images.db"), "image9999")

    def prune() -> object:
        write_records(runtime.home, 10_000)
        return runtime.prune()

    def next_id() -> object:
        with open(many.home.containers_db, "a") as file:  # as another program does, which takes no lock
            file.write(RECORD.format(next(numbers) + 20_000))
        return ids.allocate(many.home)

    def mdock(*words: str) -> object:
        environment = os.environ | {"MDOCK_HOME": many.home.path}
        return subprocess.run(
            [sys.executable, "-m", "udock_lab", *words], env=environment, stdout=subprocess.DEVNULL, check=True
        )

    def detached() -> object:
        return runtime.run("demo", ["/bin/sleep", "0.2"], detach=True)

    many = Runtime(place / "many")
    write_records(many.home, 10_000)
    filed = Runtime(place / "filed")
    write_records(filed.home, 10_000)
    for n in range(1, 10_001):
        for name, data in FILES.items():
            extras.save_extra(filed.home, f"c{n}", name, data)
    (place / "images.db").write_text("".join(IMAGE.format(n) for n in range(10_000)))
    return {
        "doctor: every feature tried": probe,
        "rootfs: ten programs of the host": lambda: make_rootfs(str(place / f"root{next(numbers)}"), TEN),
        "lookup: the last of 10,000 images": lookup,
        "prune: 10,000 records written and removed": prune,
        "ps: 10,000 records": many.ps,
        "ps: 10,000 records and their files": filed.ps,
        "ps: the same, without isolation": lambda: filed.ps(isolation=False),
        "ps: who runs, of 10,000": lambda: filed.ps(running=True),
        "mdock ps, a process: 10,000 records": lambda: mdock("ps"),
        "mdock ps -q, a process: 10,000 records": lambda: mdock("ps", "-q"),
        "id: another program wrote the 10,000th": next_id,
        "run -d: until the id is there": detached,
    }


def write_records(home: Home, count: int) -> None:
    home.create()
    Path(home.containers_db).write_text("".join(RECORD.format(n) for n in range(1, count + 1)))


def empty_python() -> None:
    subprocess.run([sys.executable, "-I", "-S", "-c", ""], check=True, stdin=subprocess.DEVNULL)


def seconds(command: Callable[[], object]) -> float:
    start = time.perf_counter()
    command()
    return time.perf_counter() - start


if __name__ == "__main__":
    os.environ.pop("MDOCK_HOME", None)
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
