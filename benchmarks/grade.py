"""How long ``udock-lab grade`` takes for a class, and what a second job brings: ``grade.py [--class N] [--sample N]``

The class is drawn from the corpus of answers, all exercises and right and wrong ones in turn. One and two jobs are
measured on the same sample in one run, alternately, so that a machine that gets busy slows both; the ratio of the best
times is what counts. On two processors that have nothing else to do it should be 1.7 or more.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "exercises"))

from classroom import dump, handed_in  # noqa: E402
from harness import COURSE, EXERCISES, Answer, answers  # noqa: E402

from udock_lab.grading.batch import Batch  # noqa: E402
from udock_lab.grading.submissions import find_submissions  # noqa: E402

ROUNDS = 2


def in_turn() -> list[Answer]:
    """One answer of each exercise, right ones and wrong ones mixed, then the next of each."""
    released = [slug for slug in EXERCISES if (COURSE / "release" / slug).is_dir()]
    columns = []
    for slug in released:
        found = answers(slug)
        right = [one for one in found if one.right]
        wrong = [one for one in found if not one.right]
        columns.append([one for pair in zip(right, wrong, strict=False) for one in pair])
    return [one for row in zip(*columns, strict=False) for one in row]


def class_of(size: int, folder: Path) -> Path:
    """That many learners, each with one submission; no two alike."""
    drawn = in_turn()
    for number in range(size):
        one = drawn[number % len(drawn)]
        notebook = handed_in(one.slug, f"# {number}\n{one.source}")
        dump(notebook, folder / f"learner{number:03}" / one.slug / f"{one.slug}.ipynb")
    return folder


def seconds(submitted: Path, jobs: int, most: int | None = None) -> float:
    """Grade (the first ``most`` of) a class afresh."""
    sent = list(islice(find_submissions(submitted), most))
    with tempfile.TemporaryDirectory(prefix="udock-bench-") as out:
        start = time.monotonic()
        Batch(out=Path(out), course=COURSE).grade(sent, jobs, lambda grade: None)
        return time.monotonic() - start


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--class", dest="size", type=int, default=100)
    parser.add_argument("--sample", type=int, default=16)
    args = parser.parse_args()
    cores = len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory(prefix="udock-bench-") as folder:
        submitted = class_of(max(args.size, args.sample), Path(folder))
        took: dict[int, list[float]] = {1: [], 2: []}
        for _ in range(ROUNDS):
            for jobs in took:
                took[jobs].append(seconds(submitted, jobs, args.sample))
        one, two = min(took[1]), min(took[2])
        print(f"{args.sample} submissions, load {os.getloadavg()[0]:.1f} on {cores} processors: ", end="")
        print(f"{one:.1f} s with one job, {two:.1f} s with two: {one / two:.2f} times as fast", flush=True)
        whole = seconds(submitted, cores, args.size)
        print(f"{args.size} submissions with {cores} jobs: {whole:.0f} s, {whole / args.size:.1f} s each")


if __name__ == "__main__":
    main()
