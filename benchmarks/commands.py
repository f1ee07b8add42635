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
from udock_lab.runtime.images import find_image_by_name
from udock_lab.runtime.rootfs import make_rootfs

TEN = ("ls", "cat", "grep", "sed", "awk", "sort", "find", "tar", "bash", "env")
RECORD = "c{}|4000000|demo|exited|2026-01-02T03:04:05|2026-01-02T03:04:06|0\n"
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
        Path(runtime.home.containers_db).write_text("".join(RECORD.format(n) for n in range(1, 10_001)))
        return runtime.prune()

    def detached() -> object:
        return runtime.run("demo", ["/bin/sleep", "0.2"], detach=True)

    (place / "images.db").write_text("".join(IMAGE.format(n) for n in range(10_000)))
    return {
        "doctor: every feature tried": probe,
        "rootfs: ten programs of the host": lambda: make_rootfs(str(place / f"root{next(numbers)}"), TEN),
        "lookup: the last of 10,000 images": lookup,
        "prune: 10,000 records written and removed": prune,
        "run -d: until the id is there": detached,
    }


def empty_python() -> None:
    subprocess.run([sys.executable, "-I", "-S", "-c", ""], check=True, stdin=subprocess.DEVNULL)


def seconds(command: Callable[[], object]) -> float:
    start = time.perf_counter()
    command()
    return time.perf_counter() - start


if __name__ == "__main__":
    os.environ.pop("MDOCK_HOME", None)
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
