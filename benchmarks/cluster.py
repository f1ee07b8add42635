"""What Dask costs beside threads: ``cluster.py [--sample N] [--rounds N]``

The same submissions are judged by two threads and by a LocalCluster with two workers, alternately in one run, so that a
machine that gets busy slows both. The ratio of the best times is what counts: 0.9 or more is wanted. The cluster is
started before and has judged a few, as one of many submissions has; what its start takes is told apart.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from grade import COURSE, class_of, seconds

from udock_lab.grading.batch import Batch
from udock_lab.grading.cluster import LOCAL, _begun, _Place, _place, _Run
from udock_lab.grading.submissions import Sent, find_submissions

JOBS = 2


def seconds_there(sent: Sequence[Sent], place: _Place) -> float:
    """Grade them afresh on a cluster that is there."""
    with tempfile.TemporaryDirectory(prefix="udock-bench-") as out, _begun(Path(out)) as begun:
        start = time.monotonic()
        run = _Run(Batch(Path(out), COURSE), begun, sent, lambda result: None, print)
        run.go(place)
        assert run.finished
        return time.monotonic() - start


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--sample", type=int, default=28)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="udock-bench-") as folder:
        submitted = class_of(args.sample, Path(folder, "submitted"))
        sent = find_submissions(submitted)
        begun = time.monotonic()
        with _place(LOCAL, JOBS, Path(folder, "scratch")) as place:
            seconds_there(sent[:JOBS], place)
            start = time.monotonic() - begun
            here, there = [], []
            for number in range(args.rounds):
                here.append(seconds(submitted, JOBS))
                there.append(seconds_there(sent, place))
                print(f"round {number + 1}: {here[-1]:.1f} s by threads, {there[-1]:.1f} s by workers", flush=True)
    print(
        f"{args.sample} submissions, two at a time, load {os.getloadavg()[0]:.1f} on {len(os.sched_getaffinity(0))} "
        f"processors: {min(here):.1f} s by threads, {min(there):.1f} s by Dask's workers, {min(here) / min(there):.2f} "
        f"times as fast; {start:.1f} s until the first {JOBS} are judged"
    )


if __name__ == "__main__":
    main()
