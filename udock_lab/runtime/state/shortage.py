"""Nothing is left: of descriptors, processes, memory, room in a file. What the kernel's word means and what to do."""

from __future__ import annotations

import errno
import resource
from collections.abc import Iterator
from contextlib import contextmanager

from udock_lab.errors import MdockError

__all__ = ["shortage", "shortage_told"]


def shortage(number: int | None) -> tuple[str, str] | None:
    """Return what happened and what to type, for an errno of open(2), write(2), fork(2), mmap(2); None for others.

    EAGAIN means this of fork alone: do not ask here about another call.
    """
    if number == errno.EMFILE:
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        return (
            f"mdock may not open one more file: the limit is {limit} (EMFILE).",
            f"Stop some containers, or raise it in this shell: ulimit -n {_more_than(limit)}"
            "   (if that is refused, in a new shell; for a notebook where Jupyter is started)",
        )
    if number == errno.ENFILE:
        return (
            "This machine cannot open one more file (ENFILE).",
            "End some programs, or ask the machine's administrator to raise fs.file-max.",
        )
    if number == errno.EAGAIN:
        limit = resource.getrlimit(resource.RLIMIT_NPROC)[0]
        bound = "" if limit == resource.RLIM_INFINITY else f": the limit is {limit}"
        return (
            f"You may not start one more process{bound} (EAGAIN).",
            "End some (ps -u $USER shows them), or raise the limit: ulimit -u   (a cgroup may have one, too: pids.max)",
        )
    if number == errno.EFBIG:
        limit = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
        bound = "" if limit == resource.RLIM_INFINITY else f": the limit is {limit} bytes"
        return (
            f"mdock may not write a file that is any larger{bound} (EFBIG).",
            "Raise it: ulimit -f unlimited   (if that is refused, in a new shell)",
        )
    if number == errno.ENOMEM:
        return (
            "There is not enough memory for one more process (ENOMEM).",
            "End some programs (free -h), or raise the limit, if this shell has one: ulimit -v unlimited",
        )
    return None


def _more_than(limit: int) -> int:
    """Return the next higher one of 1024, 4096, 16384, ..."""
    more = 1024
    while more <= limit:
        more *= 4
    return more


@contextmanager
def shortage_told() -> Iterator[None]:
    """Turn an OSError of the block that says what is short into an MdockError that says it in words."""
    try:
        yield
    except OSError as error:
        words = shortage(error.errno)
        if words is None:
            raise
        raise MdockError(*words) from error
