"""``time_searches``: what a search of mdock's costs, beside a whole run."""

from __future__ import annotations

import os
from functools import partial

from udock_lab.display.html.charts import curve
from udock_lab.lesson.experiments.finding import Finding
from udock_lab.lesson.experiments.programs import searching
from udock_lab.runtime.engine import Runtime
from udock_lab.runtime.state.images import find_image_by_name

__all__ = ["Searches", "time_searches"]

COUNTS = (10, 100, 1_000, 10_000, 100_000)


class Searches(Finding):
    """For each number of images the ``milliseconds`` of one search, for the last of them; ``run`` is one whole run."""

    def __init__(self, milliseconds: dict[int, float], run: float) -> None:
        self.milliseconds, self.run = milliseconds, run
        rows = [(f"{count:,}", f"{took:.3f}") for count, took in milliseconds.items()]
        title = "Ten times the images, about ten times the time"
        level = (run, f"one mdock run: {run:.1f} ms")
        axes = ("images in images.db", "one search (milliseconds)", "find_image_by_name, last image")
        super().__init__(
            "What a search for the last image costs",
            ("IMAGES", "MILLISECONDS"),
            [*rows, ("one whole mdock run", f"{run:.3f}")],
            call="time_searches",
            program=searching,
            picture=partial(curve, title, list(milliseconds.items()), level, axes),
        )


def time_searches(runtime: Runtime, *counts: int) -> Searches:
    """Measure mdock's own ``find_image_by_name`` on tables of so many images."""
    path, found = f"{runtime.home.path}/many.db", {}
    for count in counts or COUNTS:
        searching.write_table(path, count, runtime.home.path)
        found[count] = searching.fastest(partial(find_image_by_name, path, f"image-{count - 1}"))
    os.unlink(path)
    return Searches(found, searching.fastest(partial(runtime.run, "demo", ["true"])))
