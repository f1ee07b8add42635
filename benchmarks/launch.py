"""What one launch of ``/bin/true`` costs, in one interleaved run.

    python benchmarks/launch.py [--runs N] [--quick] [--dir DIR] [--usual-priority]

Needs a C compiler and ipykernel. ``floor.c`` does vfork, chroot, chdir, execve, wait: the least a launch can cost.
Against it stand ``Runtime.run`` and ``%mdock run`` inside a real Jupyter kernel (records, log and steps all on), the
same with a big heap and with long tables, ``%%sandbox``, ``mdock`` as a process, and other tools in the same root file
system (``scripts/install-bench-peers`` installs them from Debian). Beside each row of ours stands the same of an
earlier version (``beside.py``), where the repository's history is there. As an ordinary user it measures what that
user has: chdir alone in place of chroot, and fewer peers.

Every round launches each of them once, in an order shuffled anew, with a short pause before each so that nobody pays
for what the one before leaves to do; what is dear takes part in some rounds only. Tools are started by the C floor too,
never by Python. After the rounds come batches of launches without a pause, fresh kernels, and the launcher's memory.
All of it has real-time priority where that is permitted.

What it makes lies in one temporary folder and is gone afterwards, like every process it started. The folder is
in /dev/shm where the usual place is an ext4 without a journal, as some cloud machines have it: there a new file
walks past every inode deleted in the last minutes (``recently_deleted`` in fs/ext4/ialloc.c; 5 µs become 900),
and what would be measured is how many files the machine happened to delete. ``--dir`` decides otherwise.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

from beside import EARLIER, NOT_HERE, Version, earlier, today  # noqa: E402
from peers import find_peers  # noqa: E402
from report import BEFORE, FLOOR, LAUNCHER, PYTHON, TODAY, Measured, by_version, table, verdicts  # noqa: E402
from stage import (  # noqa: E402
    Floor,
    Kernel,
    build_floor,
    choose_folder,
    heap_sizes,
    jupyters_folders,
    make_home,
    pss,
    real_time,
)

PAUSE = 0.002  # seconds before each launch
WARM_UP = 20  # rounds that do not count
BATCH = 20  # launches in a batch without a pause
FRESH = 6  # fresh kernels of each kind
MOMENT = 0.5  # seconds between two cells that somebody runs one after the other
SETTLE = 0.3  # seconds until what a sandbox has made ready for the next one is there
DEAR = 4  # what is dear takes part in every fourth round
MAGIC = "%mdock run demo /bin/true"
IN_A_ROW = "Runtime.run, launches without a pause"

Launch = Callable[[], int]


@dataclass(frozen=True)
class Row:
    """Something that is launched: how, in which rounds, and how long nothing else happens afterwards."""

    launch: Launch
    every: int = 1
    rest: float = 0.0
    may_fail: bool = False  # another's: runc at times finds its last cgroup still there


class Stage:
    """One version on stage: a kernel for all of its rows, fresh ones on demand, and its homes."""

    def __init__(self, scratch: str, version: Version, name: str) -> None:
        self.version, self.scratch = version, scratch
        place = tempfile.mkdtemp(prefix=name.strip(": "), dir=scratch)
        sizes = {"1": 1, "10000": 10_000, "10000b": 10_000}
        self.homes = {name: make_home(f"{place}/home-{name}", records) for name, records in sizes.items()}
        self.kernel = self.fresh_kernel()
        self.kernel.ask("cell", "%load_ext udock_lab", self.homes["1"])

    def fresh_kernel(self) -> Kernel:
        return Kernel(self.scratch, self.homes["1"], self.version.python, self.version.folder)

    def rows(self, floor: Floor) -> dict[str, Row]:
        """What both versions do, equally often."""
        kernel, homes, mdock = self.kernel, self.homes, self.version.mdock
        return {
            "Runtime.run": Row(lambda: kernel.ask("run", homes["1"])),
            "%mdock run": Row(lambda: kernel.ask("cell", MAGIC, homes["1"])),
            "an empty cell": Row(lambda: kernel.ask("cell", "pass", homes["1"])),
            "a cell that shows 1": Row(lambda: kernel.ask("cell", "1", homes["1"])),
            "run, 10,000 records": Row(lambda: kernel.ask("run", homes["10000"])),
            "run, after another writer": Row(lambda: kernel.ask("run_after_other_writer", homes["10000b"])),
            "%mdock run, 10,000 records": Row(lambda: kernel.ask("cell", MAGIC, homes["10000"])),
            "%%sandbox print(1)": Row(lambda: kernel.ask("cell", "%%sandbox\nprint(1)", homes["1"]), DEAR, SETTLE),
            "mdock run, a process": Row(lambda: floor.launch(mdock, "run", "demo", "/bin/true")),
            "mdock --help, a process": Row(lambda: floor.launch(mdock, "--help"), DEAR),
        }

    def memory(self) -> dict[str, int]:
        """PSS of the launcher, and of what it keeps ready: the forker, the children that wait, a keeper."""
        time.sleep(SETTLE)
        launcher = self.kernel.ask("launcher")
        return {LAUNCHER: pss(launcher), "its forker and spares": sum(map(pss, _below(launcher)))}

    def close(self) -> None:
        self.kernel.close()


def _below(pid: int) -> Iterable[int]:
    """All processes below a single-threaded one (proc_pid_task(5))."""
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        yield int(child)
        yield from _below(int(child))


def rounds(rows: dict[str, Row], warmup: int, runs: int) -> dict[str, list[int]]:
    """Launch each once a round, in an order of its own; the times of the rounds after the warm-up."""
    times: dict[str, list[int]] = {name: [] for name in rows}
    order, shuffle = list(rows), random.Random(1).shuffle
    for number in range(-warmup, runs):
        shuffle(order)
        for name in order:
            row = rows[name]
            if number % row.every:
                continue
            time.sleep(PAUSE)
            taken = attempt(row)
            time.sleep(row.rest)
            if number >= 0:
                times[name] += taken
        if sys.stderr.isatty():
            where = "warming up" if number < 0 else f"round {number + 1} of {runs}"
            print(f"\r{where} ", end="", file=sys.stderr)
    return times


def attempt(row: Row) -> list[int]:
    """Launch it: the time, or none where another's program failed. RuntimeError where ours did."""
    try:
        return [row.launch()]
    except RuntimeError:
        if row.may_fail:
            return []
        raise


def without_pause(loops: dict[str, Row], runs: int) -> dict[str, list[int]]:
    """Nanoseconds of one launch among many, one after another without a pause: batches that take turns."""
    times: dict[str, list[int]] = {name: [] for name in loops}
    for _ in range(max(3, runs // BATCH)):
        for name, loop in loops.items():
            times[name] += [taken // BATCH for taken in attempt(loop)]
    return times


def first_runs(stages: dict[str, Stage], count: int) -> dict[str, list[int]]:
    """Loading the extension in a fresh kernel, and the first run there: at once, and a moment later."""
    times: dict[str, list[int]] = {}
    for _ in range(count):
        for moment, row in ((MOMENT, "first run after %load_ext"), (0.0, "first run at once")):
            for name, stage in stages.items():
                with closing(stage.fresh_kernel()) as kernel:
                    home = stage.homes["1"]
                    kernel.ask("cell", "pass", home)  # the first cell of all pays for IPython's own
                    loading = kernel.ask("cell", "%load_ext udock_lab", home)
                    time.sleep(moment)
                    times.setdefault(f"{name}%load_ext, in a fresh kernel", []).append(loading)
                    times.setdefault(f"{name}{row}", []).append(kernel.ask("cell", MAGIC, home))
    return times


def heaps(scratch: str, quick: bool, stack: ExitStack) -> tuple[dict[str, Row], dict[str, str]]:
    """Runs from kernels with a big heap, and from a twin that is called as seldom and has none; how they are called."""
    rows, names = {}, {}
    for name, size in {"run, its twin without": 0, **heap_sizes(quick)}.items():
        home = make_home(tempfile.mkdtemp(dir=scratch), 1)
        kernel = stack.enter_context(closing(Kernel(scratch, home)))
        if size:
            names[name] = f"run, heap of {kernel.ask('grow', size) / 1e9:.1f} GB"
        rows[name] = Row(lambda kernel=kernel, home=home: kernel.ask("run", home))  # type: ignore[misc]
    return rows, names


def in_a_row(floor: Floor, stages: dict[str, Stage], peers: dict[str, list[str]]) -> dict[str, Row]:
    """What is launched in batches without a pause."""
    loops: dict[str, Row] = {}
    for name, stage in stages.items():
        loops[f"{name}{IN_A_ROW}"] = Row(lambda stage=stage: stage.kernel.ask("run", stage.homes["1"], BATCH))  # type: ignore[misc]
    for name in ("bubblewrap", "crun", "runc"):
        if name in peers:
            launch = partial(floor.launch, *peers[name], count=BATCH)
            loops[f"{name}, without a pause"] = Row(launch, may_fail=True)
    return loops


def measure(scratch: str, runs: int, warmup: int, quick: bool) -> Measured:
    """Set everything up, run the rounds, take it all down."""
    before = earlier()
    versions = {TODAY: today()} | ({BEFORE: before} if before else {})
    with ExitStack() as stack:
        stages = {name: stack.enter_context(closing(Stage(scratch, one, name))) for name, one in versions.items()}
        home = make_home(f"{scratch}/home-process", 1)
        root = f"{home}/images/demo/rootfs"
        peers, left_out = find_peers(root, scratch)
        if not before:
            left_out[f"earlier version ({EARLIER})"] = NOT_HERE
        floor = stack.enter_context(closing(Floor(build_floor(scratch), root, home)))
        rows = {FLOOR: Row(floor.launch)}
        for name, stage in stages.items():
            rows |= {f"{name}{row}": how for row, how in stage.rows(floor).items()}
        big, names = heaps(scratch, quick, stack)
        rows |= big
        rows[PYTHON] = Row(lambda: floor.launch(sys.executable, "-c", "pass"))
        for name, words in peers.items():
            rows[name] = Row(partial(floor.launch, *words), may_fail=True)
        times = rounds(rows, warmup, runs)
        times |= without_pause(in_a_row(floor, stages, peers), runs)
        times |= first_runs(stages, 1 if quick else FRESH)
        memory = {name: stage.memory() for name, stage in stages.items()}
    measured = by_version(times)
    failed = [name for name, taken in measured.times.items() if not taken]
    for name in failed:
        del measured.times[name]
    measured.names = names
    measured.left_out = left_out | dict.fromkeys(failed, "each attempt failed")
    measured.memory, measured.earlier_memory = memory[TODAY], memory.get(BEFORE, {})
    return measured


def main() -> int:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--runs", type=int, default=0, help="rounds that count (default 250)")
    parser.add_argument("--quick", action="store_true", help="30 rounds, small heaps, one fresh kernel of each kind")
    parser.add_argument("--dir", help="where the homes are made (default: see above)")
    parser.add_argument("--usual-priority", action="store_true", help="take no real-time priority")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # leave through the clean-up
    runs = options.runs or (30 if options.quick else 250)
    for name in ("PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "MDOCK_HOME"):  # nobody's usual mdock has these
        os.environ.pop(name, None)
    priority = real_time(not options.usual_priority)
    folder, where = choose_folder(options.dir)
    load = os.getloadavg()[0]
    print(f"{runs} rounds of launches, ours and others'; 250 take about four minutes.", file=sys.stderr)
    with tempfile.TemporaryDirectory(prefix="mdock-bench-", dir=folder) as scratch:
        jupyters_folders(scratch)
        measured = measure(scratch, runs, min(runs, WARM_UP), options.quick)
    root = "" if os.geteuid() == 0 else ", as an ordinary user: chdir in place of chroot"
    print(
        f"\n/bin/true in one root file system, {runs} interleaved rounds{root}\n{priority}; {where}; load {load:.1f}\n"
    )
    print(table(measured, EARLIER), verdicts(measured), sep="\n\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
