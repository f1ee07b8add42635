"""Learner code in a disposable process: run it, watch it, bound it, clean up.

::

    client.py       the kernel's side: the story of one run
    bounds.py         what a run may use
    program.py        what is to run, as source and names
    names.py          which of the notebook's names a cell uses
    cells.py          which cells of the notebook its functions are from
    copying.py        how objects get in: cloudpickle, and what it leaves out
    preparing.py      the request, and the scratch folder
    keepers.py        a keeper for each run, and one that waits for the next
    following.py      a keeper is asked, and followed to its report
    result.py         the result
    interest.py       which calls explain something
    verdict.py        one sentence on what happened
    messages.py     what client, keeper and runner say to each other
    descriptors.py  the numbers of their sockets and pipes
    strace_markers.py  what the runner writes into strace's record
    keeper/         supervises one sandbox (a process of its own, started by the launcher)
    runner.py       the disposable process
    telling.py        what each process in it says of itself
    line_log.py       which line runs when, in memory that the keeper reads
    policy.py         what it is isolated from, and how much it may use (isolation/ makes the calls)
    doors.py          imports from folders that its user may not enter
    scratch.py        what the working folder brings back
    removal.py        and its removal

>>> from udock_lab import sandbox
>>> sandbox.run("import os; os.fork()").verdict   # doctest: +SKIP
'the child ran on and finished the cell too: two processes went on after fork, to the last line.'
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from udock_lab.sandbox.client import MEMORY, PROCESSES, TIMEOUT, run
    from udock_lab.sandbox.names import names_used

__all__ = ["MEMORY", "PROCESSES", "TIMEOUT", "names_used", "run"]


def __getattr__(name: str) -> object:
    """Import what is asked for (PEP 562): keeper and runner live in this package too and start with every cell."""
    if name not in __all__:
        raise AttributeError(f"module 'udock_lab.sandbox' has no attribute {name!r}")
    from udock_lab.sandbox import client, names

    return names.names_used if name == "names_used" else getattr(client, name)
