"""What a class of 100,000 costs once it is judged: ``scale.py [--learners N]``

Results of the size that real ones have are made, nobody is judged, and all files of the class are written from them:
tables, pages, none of the reports (a large class has them on demand). It prints seconds and the most memory that this
process had. Time is to grow with the class and not faster, so half of it is written first.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from udock_lab.display.pages.classroom import Failed, Handed  # noqa: E402
from udock_lab.grading.classfiles import ClassFiles  # noqa: E402
from udock_lab.grading.marks import Result  # noqa: E402
from udock_lab.grading.sources import SLUGS  # noqa: E402

FAILURES = tuple(Failed(f"requirement number {n} of this exercise", f"this and that taken for {n}") for n in range(9))


def results(learners: int) -> list[Result]:
    """One submission for each learner, of the exercises in turn; every ninth needs a look."""
    made = []
    for number in range(learners):
        learner, slug, points = f"student-{number:06}", SLUGS[number % len(SLUGS)], float(number % 9)
        trouble = "" if points else f"no points; launch raised NotImplementedError of {number}"
        handed = Handed(learner, slug, slug, points, 9.0, 0.0, "", trouble, (FAILURES[number % 9],))
        made.append(Result(handed, f"{slug}.ipynb", 1.0, float(number)))
    return made


def written(learners: int) -> None:
    """Write a class, and say what it cost."""
    made = results(learners)
    with tempfile.TemporaryDirectory(prefix="udock-bench-") as out:
        start, cpu = time.monotonic(), time.process_time()
        ClassFiles(Path(out)).write(made)
        took, own = time.monotonic() - start, time.process_time() - cpu
        pages = [*Path(out).glob("class/*.html"), Path(out) / "class.html"]
        largest = max(page.stat().st_size for page in pages)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{learners:,} learners: {took:.1f} s ({own:.1f} s of a processor, {1e6 * own / learners:.0f} us each), "
        f"{len(pages)} pages of {largest / 1000:.0f} KB at most, {memory:.0f} MB of memory",
        flush=True,
    )


def main() -> None:
    """Write half of a class, then all of it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--learners", type=int, default=100_000)
    args = parser.parse_args()
    written(args.learners // 2)
    written(args.learners)


if __name__ == "__main__":
    main()
