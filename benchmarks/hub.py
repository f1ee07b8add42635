"""What learners cost who take lessons at the same time: ``hub.py [--learners N] [--cells N]``

Each learner has a home, a copy of the course and a kernel, and runs a lesson from its first cell to its last, one cell
after another without a pause, which no person does. The lessons are taken in turn. Before that, the memory of a bare
kernel, of one within a lesson, its helpers included, and after it (PSS: what is shared counts in parts).
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
from jupyter_client.manager import KernelManager

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from report import Goal, Measured, verdicts  # noqa: E402

from udock_lab.course.layout import lay_out  # noqa: E402

BARE, WITHIN, AFTER = "a bare kernel (PSS)", "a kernel within a lesson, and its helpers", "the kernel after it"
MOST_MORE = 40e6  # bytes that a lesson may take beside a bare kernel
LONGEST = 300  # seconds for a cell


class Learner:
    """A home with the course in it, and a kernel there."""

    def __init__(self, home: Path) -> None:
        self.folder = home / "udock-lab"
        lay_out(self.folder)
        self.kernel = KernelManager(kernel_name="python3")
        own = {"HOME": str(home), "IPYTHONDIR": str(home / ".ipython")}
        self.kernel.start_kernel(env=os.environ | own, cwd=str(self.folder))
        self.client: Any = self.kernel.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=LONGEST)

    def run(self, source: str) -> int:
        """Run one cell; nanoseconds until the kernel is idle again."""
        start = time.perf_counter_ns()
        self.client.execute_interactive(source, timeout=LONGEST, allow_stdin=False, output_hook=lambda message: None)
        return time.perf_counter_ns() - start

    def take(self, lesson: str, most: int) -> list[int]:
        """Run the cells of a lesson; the time of each."""
        return [self.run(source) for source in cells_of(self.folder / lesson)[:most]]

    def memory(self) -> int:
        """Bytes of the kernel and of all below it (PSS)."""
        kernel = psutil.Process(self.kernel.provisioner.process.pid)  # type: ignore[union-attr]
        return sum(pss(process) for process in (kernel, *kernel.children(recursive=True)))

    def end(self) -> None:
        """Shut the kernel down as JupyterLab does."""
        self.client.stop_channels()
        self.kernel.shutdown_kernel()


def pss(process: psutil.Process) -> int:
    """Of a process that may just have ended."""
    try:
        return int(process.memory_full_info().pss)
    except psutil.Error:
        return 0


def cells_of(path: Path) -> list[str]:
    """The code cells of a notebook, as source."""
    cells = json.loads(path.read_text())["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


def lessons() -> list[str]:
    """The course's lessons that a learner runs, in its order."""
    return sorted(path.name for path in (ROOT / "notebooks").glob("m2_*.ipynb"))


def at_once(place: Path, count: int, most: int) -> list[int]:
    """The times of all cells of so many learners, who begin together."""
    begin = threading.Barrier(count)
    named = lessons()

    def one(number: int) -> list[int]:
        learner = Learner(place / f"learner-{number}")
        try:
            begin.wait()
            return learner.take(named[number % len(named)], most)
        finally:
            learner.end()

    with ThreadPoolExecutor(count) as pool:
        return [took for times in pool.map(one, range(count)) for took in times]


def rows(measured: Measured) -> str:
    """One line a row: cells, median, 95th percentile, longest, in seconds; then memory in MB."""
    width = max(map(len, (*measured.times, *measured.memory)))
    lines = [f"{'':{width}}{'cells':>8}{'median s':>10}{'p95':>8}{'longest':>9}"]
    for row, times in measured.times.items():
        last = statistics.quantiles(times, n=20, method="inclusive")[-1] if len(times) > 1 else times[0]
        figures = f"{statistics.median(times) / 1e9:10.2f}{last / 1e9:8.2f}{max(times) / 1e9:9.2f}"
        lines.append(f"{row:{width}}{len(times):8}{figures}")
    lines += [f"{row:{width}}{size / 1e6:8.1f} MB" for row, size in measured.memory.items()]
    return "\n".join(lines)


def main(words: Sequence[str] | None = None) -> None:
    """Measure a learner alone, then all at once."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--learners", type=int, default=30)
    parser.add_argument("--cells", type=int, default=10**6, help="of each lesson, at most (default: all)")
    args = parser.parse_args(words)
    together = f"a cell, {args.learners} learners at once"
    measured = Measured({})
    with tempfile.TemporaryDirectory(prefix="udock-bench-", ignore_cleanup_errors=True) as place:
        learner = Learner(Path(place, "alone"))
        learner.run("1")
        measured.memory[BARE] = learner.memory()
        sources = cells_of(learner.folder / lessons()[0])[: args.cells]
        measured.times["a cell, one learner"] = [learner.run(source) for source in sources[:-1]]
        measured.memory[WITHIN] = learner.memory()
        learner.run(sources[-1])  # lesson.end()
        measured.memory[AFTER] = learner.memory()
        learner.end()
        measured.times[together] = at_once(Path(place), args.learners, args.cells)
    processors = len(os.sched_getaffinity(0))
    print(f"{args.learners} learners on {processors} processors, each runs a lesson without a pause\n")
    print(rows(measured))
    more = measured.memory[WITHIN] - measured.memory[BARE]
    light = "met" if more <= MOST_MORE else "NOT MET"
    print(f"\n{light:14}memory within a lesson: {more / 1e6:.0f} MB more   goal: <= {MOST_MORE / 1e6:.0f} MB")
    print(verdicts(measured, [Goal(together, "", 3000.0)]))


if __name__ == "__main__":
    main()
