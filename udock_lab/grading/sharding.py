"""A class in parts: ``--shard I/N`` judges the I-th of N, counted from 0, as job systems count their tasks.

Who is in which part depends on the learner's name alone. So the parts need not know of each other, nobody is judged in
two of them, and a part that is run again goes on where it was. ``udock-lab collect`` makes a class of what they kept.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import NamedTuple
from zlib import crc32

from udock_lab.errors import UsageError
from udock_lab.grading.submissions import Sent

__all__ = ["Shard", "shard_of"]


class Shard(NamedTuple):
    """One part of so many; ``number`` is counted from 0."""

    number: int
    parts: int

    def of(self, sent: Sequence[Sent]) -> list[Sent]:
        """Return what belongs to this part."""
        return [one for one in sent if crc32(os.fsencode(one.learner)) % self.parts == self.number]


def shard_of(words: str) -> Shard:
    """Read ``3/100``; UsageError for anything else, with how parts are counted."""
    found = re.fullmatch(r"(\d{1,9})/(\d{1,9})", words, re.ASCII)
    shard = Shard(int(found[1]), int(found[2])) if found else Shard(0, 0)
    if not shard.number < shard.parts:
        raise UsageError(f"--shard {words}: there is no such part.", "Parts are counted from 0: --shard 0/4 ... 3/4")
    return shard
