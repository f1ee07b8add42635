"""What commands beside ``run`` take, in one interleaved run, beside an earlier version and ``python3 -c pass``.

    python benchmarks/commands.py [--rounds N] [--records N] [--dir DIR] [--usual-priority]

A figure that a test would assert in seconds means nothing on a busy machine; a ratio within one run does.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

from beside import EARLIER, NOT_HERE, Version, earlier, today  # noqa: E402
from report import BEFORE, PYTHON, TODAY, Goal, by_version, table, verdicts  # noqa: E402
from stage import Kernel, choose_folder, jupyters_folders, real_time  # noqa: E402

from udock_lab import Runtime  # noqa: E402
from udock_lab.isolation.probe import probe  # noqa: E402
from udock_lab.runtime.image.rootfs import make_rootfs  # noqa: E402
from udock_lab.runtime.state import extras, ids  # noqa: E402
from udock_lab.runtime.state.home import Home  # noqa: E402
from udock_lab.runtime.state.images import find_image_by_name  # noqa: E402

TEN = ("ls", "cat", "grep", "sed", "awk", "sort", "find", "tar", "bash", "env")
RECORD = "c{}|4000000|demo|exited|2026-01-02T03:04:05|2026-01-02T03:04:06|0\n"
FILES = {
    "spec": {"image": "demo", "argv": ["/bin/sh", "-c", "exit 42"], "userns": False, "pid": 4_000_000, "host": "vm"},
    "steps": {"reports": [[n, 0, 1, 2] for n in range(5)], "steps": ["subreaper", "chdir", 'chroot("/x")', "chdir"]},
}
IMAGE = "image{}|/|2026-01-02T03:04:05\n"
PS, PS_FILES, PS_RUNNING = "ps", "ps: with the files of each", "ps --running"
GOALS = tuple([Goal(row, "", 150) for row in (PS, PS_FILES, PS_RUNNING)])

Command = Callable[[], object]


def of_a_version(version: Version, scratch: str, place: Path, records: int, stack: ExitStack) -> dict[str, Command]:
    """What both versions are asked for: in a kernel of theirs, and as a process."""
    few, many = Home(str(place / "few")), Home(str(place / "many"))
    for home in (few, many):
        write_records(home, records)
    for name, data in FILES.items():
        for number in range(1, records + 1):
            extras.save_extra(many, f"c{number}", name, data)
    kernel = stack.enter_context(closing(Kernel(scratch, few.path, version.python, version.folder)))
    environment = os.environ | {"MDOCK_HOME": few.path}

    def mdock(*words: str) -> object:
        return subprocess.run([version.mdock, *words], env=environment, stdout=subprocess.DEVNULL, check=True)

    return {
        PS: lambda: kernel.ask("ps", few.path, False),
        PS_FILES: lambda: kernel.ask("ps", many.path, False),
        PS_RUNNING: lambda: kernel.ask("ps", many.path, True),
        "mdock ps, a process": lambda: mdock("ps"),
        "mdock ps -q, a process": lambda: mdock("ps", "-q"),
    }


def of_today(place: Path, records: int) -> dict[str, Command]:
    """What is called in this very process."""
    runtime, many = Runtime(place / "home"), Runtime(place / "records")
    runtime.demo()
    write_records(many.home, records)
    (place / "images.db").write_text("".join(IMAGE.format(n) for n in range(records)))
    numbers, last = iter(range(1_000_000)), f"image{records - 1}"

    def prune() -> object:
        write_records(runtime.home, records)
        return runtime.prune()

    def next_id() -> object:
        with open(many.home.containers_db, "a") as file:  # as another program does, which takes no lock
            file.write(RECORD.format(next(numbers) + 2 * records))
        return ids.allocate(many.home)

    return {
        "doctor: every feature tried": probe,
        "rootfs: ten programs of the host": lambda: make_rootfs(str(place / f"root{next(numbers)}"), TEN),
        "lookup: the last of as many images": lambda: find_image_by_name(str(place / "images.db"), last),
        "prune: all written and removed": prune,
        "id: another program wrote the last": next_id,
        "run -d: until the id is there": lambda: runtime.run("demo", ["/bin/sleep", "0.2"], detach=True),
    }


def write_records(home: Home, count: int) -> None:
    home.create()
    Path(home.containers_db).write_text("".join(RECORD.format(n) for n in range(1, count + 1)))


def pass_in_python() -> None:
    subprocess.run([sys.executable, "-c", "pass"], check=True, stdin=subprocess.DEVNULL)


def measure(commands: dict[str, Command], rounds: int) -> dict[str, list[int]]:
    """Nanoseconds of each, in every round in another order; a command that measures itself says them."""
    times: dict[str, list[int]] = {name: [] for name in commands}
    order, shuffle = list(commands), random.Random(1).shuffle
    for number in range(-1, rounds):
        shuffle(order)
        for name in order:
            start = time.perf_counter_ns()
            answer = commands[name]()
            taken = answer if isinstance(answer, int) else time.perf_counter_ns() - start
            if number >= 0:
                times[name].append(taken)
    return times


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0], allow_abbrev=False)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--records", type=int, default=10_000, help="containers that have ended (goals: of 10,000)")
    parser.add_argument("--dir", help="where the homes are made (default: as launch.py)")
    parser.add_argument("--usual-priority", action="store_true", help="take no real-time priority")
    options = parser.parse_args()
    os.environ.pop("MDOCK_HOME", None)
    priority = real_time(not options.usual_priority)
    before = earlier()
    print(f"{options.rounds} rounds of other commands; 15 take about two minutes.", file=sys.stderr)
    folder, where = choose_folder(options.dir)
    with tempfile.TemporaryDirectory(prefix="mdock-bench-", dir=folder) as folder, ExitStack() as stack:
        jupyters_folders(folder)
        place = Path(folder)
        commands: dict[str, Command] = {PYTHON: pass_in_python} | of_today(place, options.records)
        for name, version in ({TODAY: today()} | ({BEFORE: before} if before else {})).items():
            own = of_a_version(version, folder, place / name.strip(": "), options.records, stack)
            commands |= {f"{name}{row}": command for row, command in own.items()}
        measured = by_version(measure(commands, options.rounds))
    if not before:
        measured.left_out[f"earlier version ({EARLIER})"] = NOT_HERE
    print(f"\nCommands, {options.records:,} records, {options.rounds} interleaved rounds\n{priority}; {where}\n")
    print(table(measured, EARLIER, PYTHON), verdicts(measured, GOALS), sep="\n\n")


if __name__ == "__main__":
    main()
